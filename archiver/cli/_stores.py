"""How commands speak of a store in the settings."""

from archiver.settings.stores import S3StoreSettings, StoreSettings


def store_in_words(store: StoreSettings) -> str:
    """A store on one line: name, place, whether it is required, its lock."""
    parts = [f"{store.name}: {store.place}", "required" if store.required else "optional"]
    if isinstance(store, S3StoreSettings):
        if store.object_lock != "none":
            days = "1 day" if store.lock_days == 1 else f"{store.lock_days:,} days"
            parts.append(f"locked for {days} ({store.object_lock})")
        if store.legal_hold:
            parts.append("with a legal hold")
        if not store.is_private_on_the_way:
            parts.append("NOT ENCRYPTED ON THE WAY (http)")
    return ", ".join(parts)


def store_fields(store: StoreSettings) -> dict[str, object]:
    """The same as JSON; `lock_days` 0 where there is no lock."""
    fields: dict[str, object] = {"name": store.name, "kind": "local", "place": store.place}
    lock: tuple[str, int, bool] = ("none", 0, False)
    if isinstance(store, S3StoreSettings):
        fields["kind"] = "s3"
        lock = (store.object_lock, store.lock_days, store.legal_hold)
    locks = dict(zip(("object_lock", "lock_days", "legal_hold"), lock, strict=True))
    return {**fields, "required": store.required, **locks}
