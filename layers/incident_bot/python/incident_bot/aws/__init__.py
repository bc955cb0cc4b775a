"""The world over AWS: the only package that imports botocore, one small file for each port of `world.py`."""
