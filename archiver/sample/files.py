"""The sample export's other files: the account, its history, what is empty, and what is never read."""

from archiver.sample.people import EMAIL, FORCE, FORMER_HANDLE

AVATAR = "Gs9q0sealAAA.png"
CREATED = "2012-01-09T10:14:05.000Z"
BIO = (
    "A fictional police force: sample data for trying out software."
    " Nothing here happened, nobody here exists. Not for reporting anything."
)
README = """This is a sample, not a real export.

"Springfield Police" is a fictional police force. Its posts, messages, followers and pictures were made by a
program, in the shape in which X hands out an account's data, so that archiving software can be tried without
anybody's data. No person, place, road or event in it is real.
"""

Items = list[dict[str, object]]

# The types of file in an export, as its manifest names them; X writes a file for each, most of them empty.
_TYPE_NAMES = """
    account accountCreationIp accountLabel accountSuspension accountTimezone adEngagements adImpressions
    ageinfo app article articleMetadata block communityNote communityNoteTombstone communityTweet
    connectedApplication contact deletedNoteTweet deletedTweetHeaders deletedTweets deviceToken
    directMessageGroupHeaders directMessageHeaders directMessageMute directMessages directMessagesGroup
    emailAddressChange follower following ipAudit like listsCreated listsMember listsSubscribed mute
    niDevices noteTweet personalization phoneNumber profile protectedHistory replyPrompt savedSearch
    screenNameChange smartblock tweetHeaders tweets userLinkClicks verified
"""
FILE_TYPES = tuple(_TYPE_NAMES.split())
MEDIA_DIRECTORIES = {
    "communityTweet": "data/community_tweet_media",
    "deletedTweets": "data/deleted_tweets_media",
    "directMessages": "data/direct_messages_media",
    "directMessagesGroup": "data/direct_messages_group_media",
    "profile": "data/profile_media",
    "tweets": "data/tweets_media",
}


def account_files(generated: str) -> dict[str, Items]:
    """Give the items of the files about the account itself, by manifest type."""
    account = {
        "email": EMAIL,
        "createdVia": "web",
        "username": FORCE.handle,
        "accountId": FORCE.user_id,
        "createdAt": CREATED,
        "accountDisplayName": FORCE.name,
    }
    profile = {
        "description": {
            "bio": BIO,
            "website": "https://t.co/SpringfldP",
            "location": "Springfield (fictional)",
        },
        "avatarMediaUrl": f"https://pbs.twimg.com/profile_images/451207733000000000/{AVATAR}",
    }
    change = {
        "changedAt": "2015-06-01T08:00:00.000Z",
        "changedFrom": FORMER_HANDLE,
        "changedTo": FORCE.handle,
    }
    return {
        "account": [{"account": account}],
        "accountTimezone": [{"accountTimezone": {"accountId": FORCE.user_id, "timeZone": "London"}}],
        "profile": [{"profile": profile}],
        "screenNameChange": [
            {"screenNameChange": {"accountId": FORCE.user_id, "screenNameChange": change}},
        ],
        "verified": [{"verified": {"accountId": FORCE.user_id, "verified": True}}],
        **_never_read(generated),
    }


def _never_read(generated: str) -> dict[str, Items]:
    """Give files an archive has no business with: addresses from RFC 5737, a number Ofcom keeps for drama."""
    login = {"accountId": FORCE.user_id, "createdAt": generated, "loginIp": "192.0.2.17"}
    advertiser = {
        "advertiserInfo": {"advertiserName": "Springfield Doughnuts", "screenName": "@SpringfldDonut"}
    }
    interests = {"interests": [{"name": "Doughnuts", "isDisabled": False}], "partnerInterests": []}
    return {
        "accountCreationIp": [
            {"accountCreationIp": {"accountId": FORCE.user_id, "userCreationIp": "192.0.2.18"}}
        ],
        "adImpressions": [{"ad": {"adsUserData": {"adImpressions": {"impressions": [advertiser]}}}}],
        "ipAudit": [{"ipAudit": login}],
        "personalization": [{"p13nData": {"interests": interests}}],
        "phoneNumber": [{"device": {"phoneNumber": "+441632960117"}}],
    }
