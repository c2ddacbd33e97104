"""The pytest fixture and marker: thin, everything heavy is imported when it is used."""
