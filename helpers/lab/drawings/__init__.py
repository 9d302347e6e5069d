"""Drawings, a file or folder for each chapter: functions from numbers to a figure and its alt text, or to HTML."""
