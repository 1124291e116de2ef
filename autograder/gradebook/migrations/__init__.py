"""How do the tables of an older gradebook become those of this version?"""
