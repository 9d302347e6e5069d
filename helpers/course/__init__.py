"""The engine room behind course.py: commands, the site, the classroom. A reader of the course never opens it."""
