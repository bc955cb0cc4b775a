"""The world over AWS: the only package that imports boto3, one small file for each port of `world.py`."""
