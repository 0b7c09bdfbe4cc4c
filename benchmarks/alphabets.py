"""Which of Omniglot's alphabets the benchmarks choose settings on, and which share of the others is held out."""

# Five alphabets of the background set, drawn at random. Settings were chosen on them, so they are in no test.
VALIDATION = (
    "Blackfoot_(Canadian_Aboriginal_Syllabics)",
    "Burmese_(Myanmar)",
    "Greek",
    "Inuktitut_(Canadian_Aboriginal_Syllabics)",
    "Malay_(Jawi_-_Arabic)",
)
HELD_OUT = 0.25  # of the other alphabets, tested on but not trained on
