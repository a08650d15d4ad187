"""The native protocol: bytes on a socket become requests, results become bytes again."""
