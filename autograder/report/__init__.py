"""What do people read after a grading?"""
