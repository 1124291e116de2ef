"""What goes in from a learning management system (LMS), and what goes back to it?"""
