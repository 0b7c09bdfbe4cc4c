"""One module for each study; its `STUDY` says everything."""
