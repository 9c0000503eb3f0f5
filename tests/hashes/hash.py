"""A candidate of `make bench`: libargon2. Hashes one password for each line that comes in, and says
in how many nanoseconds and what came out."""

import sys
import time

from argon2.low_level import Type, hash_secret_raw

for _ in sys.stdin:
    started = time.perf_counter_ns()
    tag = hash_secret_raw(
        b"correct horse battery", b"salt of 16 bytes", 2, 19 * 1024, 1, 32, Type.ID
    )
    took = time.perf_counter_ns() - started
    print(took, tag.hex(), flush=True)
