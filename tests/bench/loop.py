# A program for pinion feed to drive: each line of stdin on stdout, at once.
import sys

for line in sys.stdin:
    sys.stdout.write(line)
    sys.stdout.flush()
