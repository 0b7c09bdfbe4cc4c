"""Languages as classes: names of places, languages and currencies, and n-gram networks to read them."""
