"""Measurements that take minutes to hours, a package for each question; the README beside this file has the results."""
