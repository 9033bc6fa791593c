"""What one would write instead of this program: tweepy's Client and Paginator, each page a line of JSON in a
file, on disk before the next is asked for.

    python -m bench.x_peer JOB.json      # for a job that `bench.x_api` wrote
"""

import json
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
import tweepy

TWEEPY_HOST = "https://api.twitter.com"


def collect(job: dict[str, Any]) -> dict[str, int]:
    """Every account's timeline; how many pages and posts there were."""
    logging.disable()  # tweepy 4 warns of the newer names at every request

    class ToTheFake(requests.Session):
        def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
            return super().request(method, url.replace(TWEEPY_HOST, job["address"]), *args, **options)

    def take(account: str) -> tuple[int, int]:
        client = tweepy.Client(job["token"], return_type=dict)
        client.session = ToTheFake()
        pages = posts = 0
        with Path(job["folder"], f"{account}.jsonl").open("w", encoding="utf-8") as file:
            for page in tweepy.Paginator(client.get_users_tweets, account, **job["parameters"]):
                file.write(json.dumps(page, ensure_ascii=False, separators=(",", ":")) + "\n")
                file.flush()
                os.fsync(file.fileno())
                pages, posts = pages + 1, posts + len(page["data"])
        return pages, posts

    with ThreadPoolExecutor(job["side_by_side"]) as executor:
        taken = list(executor.map(take, job["accounts"]))
    return {"pages": sum(pages for pages, _ in taken), "posts": sum(posts for _, posts in taken)}


if __name__ == "__main__":
    print(json.dumps(collect(json.loads(Path(sys.argv[1]).read_text()))))
