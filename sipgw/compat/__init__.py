"""Other people's libraries that need help to run on a present Python."""
