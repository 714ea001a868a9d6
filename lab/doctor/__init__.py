"""What is wrong with an installation, in words: each port tried with its own protocol, and a conference held over it."""
