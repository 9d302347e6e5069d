"""For teachers: notebooks for a class without solutions (release), and grading of what comes back (grade).

Nothing in here goes to students. How grading keeps submissions apart and honest: see `sandbox` and `remote`.
"""
