# Each line of stdin back from one of PROCESSES others, in order, by multiprocessing.Pool.imap:
# one task in each hand-over, as with one line in flight.
#
#   pool_imap.py PROCESSES
import sys
from multiprocessing import Pool


def answer(line):
    return line


def main():
    with Pool(int(sys.argv[1])) as pool:
        sys.stdout.buffer.writelines(pool.imap(answer, sys.stdin.buffer, chunksize=1))


if __name__ == "__main__":
    main()
