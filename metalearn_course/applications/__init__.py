"""The families of tasks of chapter 6, by domain, with real data where a package ships it."""
