"""What `./run` and `./test` are made of."""
