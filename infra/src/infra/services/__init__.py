"""The services as ECS tasks: a module each says what it is told, what it may do, and how large it is.

`worker` is what they have in common, `grants` the statements of their roles, `image` what their images are built from.
"""
