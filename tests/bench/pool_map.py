# The crc32 of each line of stdin, in order, by multiprocessing.Pool.map.
#
#   pool_map.py PROCESSES CHUNKSIZE     prints them
#   pool_map.py PROCESSES best          prints the chunksize that took the least time
import sys
import time
import zlib
from multiprocessing import Pool


def answer(line):
    return b"%08x\n" % zlib.crc32(line)


def best_chunksize(pool, lines):
    seconds = {}
    for chunksize in (256, 1024, 4096, 16384, 65536):
        begin = time.monotonic()
        pool.map(answer, lines, chunksize)
        seconds[chunksize] = time.monotonic() - begin
    return min(seconds, key=seconds.get)


def main():
    lines = sys.stdin.buffer.read().split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    with Pool(int(sys.argv[1])) as pool:
        if sys.argv[2] == "best":
            print(best_chunksize(pool, lines))
        else:
            answers = pool.map(answer, lines, int(sys.argv[2]))
            sys.stdout.buffer.write(b"".join(answers))


if __name__ == "__main__":
    main()
