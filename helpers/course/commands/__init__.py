"""What stands behind course.py: set-up, doctor, headless runs, tests and the public address."""
