-- Made after the rows: they are quicker to build and lie together.
CREATE INDEX post_platform_id ON post (platform_id);
-- Only rows of records that have several versions, so that a search finds them without a look elsewhere.
CREATE INDEX post_revision ON post (coalesce(record_id, platform_id))
    WHERE version <> 1 OR record_id IS NOT NULL;
-- Who answers a post, and what else belongs to its conversation, without reading all rows. Most posts answer none.
CREATE INDEX post_in_reply_to_id ON post (in_reply_to_id) WHERE in_reply_to_id IS NOT NULL;
CREATE INDEX post_conversation_id ON post (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX message_conversation_id ON message (conversation_id);
CREATE INDEX message_platform_id ON message (platform_id);
CREATE INDEX message_revision ON message (platform_id) WHERE version <> 1;
CREATE INDEX relation_platform_id ON relation (platform_id);
CREATE INDEX gone_platform_id ON gone (platform_id);
CREATE INDEX moderation_record_id ON moderation (record_id);
CREATE INDEX moderation_item_id ON moderation (item_id);
CREATE INDEX term_stem ON term (stem);
