"""Puts bench/ and bench/peers/ where the tests import from."""
import os
import sys

BENCH = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "bench")
sys.path[:0] = [BENCH, os.path.join(BENCH, "peers")]
