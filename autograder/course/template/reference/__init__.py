"""How each topic of the lectures is computed. Never given to students."""
