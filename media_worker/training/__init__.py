"""How the nail networks come about: pictures to learn from, networks, training. Nothing here runs in a live session."""
