"""X's interface (API v2) through tweepy: what is asked for, its pace and price, what the answers mean."""
