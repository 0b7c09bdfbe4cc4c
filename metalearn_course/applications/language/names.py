"""Languages as classes, names as examples: like Omniglot, but with text.

A name is a picture with one row, whose pixels are the bytes of its UTF-8. So `metalearn_lib.tasks.episodes` draws from
languages as from the letters of alphabets. The names of countries, languages, scripts and currencies in 210 languages
come from Unicode's Common Locale Data Repository (CLDR, Unicode Licence), by way of the package babel (BSD).
"""

import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

import metalearn_lib as ml
from metalearn_course.applications.checks import arrays, instances, numbers_in
from metalearn_lib.core.checks import at_least
from metalearn_lib.core.extras import import_extra

LENGTH = 40  # bytes; longer names are cut after a letter
KINDS = ("territories", "languages", "scripts", "currency_names")

# Branches of language families, coarser or finer so that relatives whose names look alike are together.
_MEMBERS = {
    "Germanic": "af da de en fo frr fy gsw is ksh lb nds nl nn no pcm sv wae yi",
    "Romance": "an ast ca co es fr fur gl it kea la lij lld mfe oc pap pt rm ro sc scn vec",
    "Slavic": "be bg bs cs cu dsb hr hsb mk pl ru sk sl sr szl uk",
    "Baltic": "lt lv prg",
    "Celtic": "br cy ga gd",
    "Indo-Aryan": "as bn ccp gu hi kok ks mai mr ne or pa sa sd si trw ur xnr",
    "Iranian": "bgn ckb fa ku lrc mzn os ps tg",
    "Albanian": "sq",
    "Armenian": "hy",
    "Greek": "el",
    "Uralic": "et fi hu myv se smn sms",
    "Turkic": "az cv kaa kk ky sah tk tr tt ug uz",
    "Mongolic": "mn",
    "Dravidian": "kn kxv ml ta te",
    "Sinitic": "yue zh",
    "Tibeto-Burman": "bo brx dz mni my",
    "Tai": "lo th za",
    "Austroasiatic": "km sat vi",
    "Austronesian": "bew ceb fil id jv mg mi ms to trv",
    "Japonic": "ja",
    "Koreanic": "ko",
    "Basque": "eu",
    "Kartvelian": "ka",
    "North Caucasian": "ab ce",
    "Semitic": "am ar gez he mt syr ti tig",
    "Berber": "kab rif shi tzm zgh",
    "Cushitic": "byn om so",
    "Omotic": "wal",
    "Chadic": "ha",
    "Bantu": "asa bas bez cgg dav ebu ewo guz jmc kam kde ki ksb ksf lag lg ln lu luy mer mgh nd nmg nyn rn rof rw "
    "rwk sbp seh sn st sw tn vun xh xog yav zu",
    "Grassfields": "agq jgo",
    "Volta-Niger": "ig yo",
    "Kwa": "ak blo ee gaa",
    "Atlantic": "dyo ff wo",
    "Mande": "bm nqo vai",
    "Adamawa and Ubangian": "mua sg",
    "Nilotic": "kln luo mas nus saq teo",
    "Songhay": "dje khq ses twq",
    "Khoe": "naq",
    "American": "chr kgp kl lkt qu yrl",
    "constructed": "eo ia ie tok",
}
BRANCHES = {code: branch for branch, codes in _MEMBERS.items() for code in codes.split()}


def cldr_names(kinds: Sequence[str] = KINDS) -> dict[str, set[str]]:
    """Every language's own names of territories, languages, scripts and currencies, in lower case.

    Names with a digit are left out. Nothing is inherited from another language.

    Args:
        kinds: some of `KINDS`.

    Returns:
        Names by language code.

    Raises:
        ValueError: for an unknown kind.
        ImportError: if babel is not installed.
    """
    if isinstance(kinds, str) or not isinstance(kinds, Sequence):
        raise TypeError(f"kinds is {kinds!r}, expected a sequence with some of {', '.join(KINDS)}")
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ValueError(f"kinds has {unknown[0]!r}, expected some of {', '.join(KINDS)}")
    localedata = import_extra("babel.localedata", "course")
    names = {}
    for code in sorted(localedata.locale_identifiers()):
        if "_" not in code:  # de, not de_AT
            tables = localedata.load(code, merge_inherited=False)
            values = (value for kind in kinds for value in tables.get(kind, {}).values())
            names[code] = {_normal(value) for value in values if not any(map(str.isdigit, value))}
    return names


def invented_names(branches: int = 40, names: int = 120, seed: int = 0) -> dict[str, set[str]]:
    """Names in invented languages, for machines without the real ones: six languages per branch.

    A language is a Markov chain over 26 letters, the mean of a chain of its own and one of its branch; three branches
    of five write Latin letters.

    Args:
        branches: number of branches; their languages are called b0-0, b0-1, ...
        names: number of names that are drawn in each language; some are drawn twice.
        seed: fixes them.
    """
    at_least(1, branches=branches, names=names)
    at_least(0, seed=seed)
    generator = np.random.default_rng(seed)
    latin = "abcdefghijklmnopqrstuvwxyz"
    alphabets = [latin, latin, latin, "абвгдежзийклмнопрстуфхцчшя", "αβγδεζηθικλμνξοπρστυφχψωάέ"]
    found = {}
    for branch in range(branches):
        common, letters = generator.dirichlet(np.full(26, 0.2), size=26), alphabets[branch % 5]
        for number in range(6):
            chain = (common + generator.dirichlet(np.full(26, 0.2), size=26)).cumsum(axis=1) / 2
            words = generator.integers(26, size=(names, 1))
            for _ in range(9):
                following = (generator.random((names, 1)) > chain[words[:, -1]]).sum(axis=1)
                words = np.concatenate([words, np.minimum(following, 25)[:, None]], axis=1)
            lengths = generator.integers(4, 11, size=names)
            spelt = ("".join(letters[i] for i in word[:length]) for word, length in zip(words, lengths, strict=True))
            found[f"b{branch}-{number}"] = set(spelt)
    return found


def labelled_names(names: Mapping[str, set[str]], fewest: int = 60) -> ml.images.LabelledImages:
    """Languages as classes to draw episodes from, without the names that two languages share.

    A name that several languages spell alike (Angola, in a hundred of them) belongs to none of them: else it could be
    the support of one and the query of another in the same episode. Two names that are cut to the same bytes count as
    alike.

    Args:
        names: names by language.
        fewest: languages with fewer names of their own are left out.

    Returns:
        Images [n, 1, LENGTH, 1] as made by `spell_names`, classes sorted by name, each an alphabet of its own: see
        `grouped_by`.

    Raises:
        ValueError: if no language has enough names.
    """
    at_least(1, fewest=fewest)
    instances(Mapping, names=names)
    for language, some in names.items():
        _check_strings(**{f"names[{language!r}]": some})
    spelt = {language: {_cut(name) for name in some} for language, some in names.items()}
    owners = Counter(name for some in spelt.values() for name in some)
    own = {language: sorted(name for name in some if owners[name] == 1) for language, some in sorted(spelt.items())}
    own = {language: some for language, some in own.items() if len(some) >= fewest}
    if not own:
        raise ValueError(f"fewest is {fewest}, expected a number of own names that at least one language has")
    labels = np.repeat(np.arange(len(own)), [len(some) for some in own.values()])
    return ml.images.LabelledImages(
        spell_names([name for some in own.values() for name in some]), labels, tuple(own), tuple(own)
    )


def spell_names(names: Sequence[str]) -> np.ndarray:
    """Names as pictures of their bytes, uint8 [n, 1, LENGTH, 1]: UTF-8, cut after a letter, padded with zeros."""
    _check_strings(names=names)
    rows = b"".join(_cut(name).encode().ljust(LENGTH, b"\0") for name in names)
    return np.frombuffer(rows, np.uint8).reshape(-1, 1, LENGTH, 1)


def read_names(x: np.ndarray) -> np.ndarray:
    """The names in pictures of bytes [..., 1, LENGTH, 1], uint8 or as episodes hold them (in [0, 1]): strings [...]."""
    x = np.asarray(x)
    arrays(x=(x, f"... 1 {LENGTH} 1"))
    if x.dtype != np.uint8:
        numbers_in("[0, 1]", x=x)
    rows = (x if x.dtype == np.uint8 else np.rint(255 * x).astype(np.uint8)).reshape(-1, LENGTH)
    return np.array([row.tobytes().rstrip(b"\0").decode() for row in rows]).reshape(x.shape[:-3])


def script_of_name(name: str) -> str:
    """The script of most of a name's letters, by Unicode's names of them: LATIN, CYRILLIC, ...; "" without letters."""
    _check_strings(name=[name])
    found = Counter(filter(None, map(_script_of, name)))
    return found.most_common(1)[0][0] if found else ""


def grouped_by(languages: ml.images.LabelledImages, by: str) -> ml.images.LabelledImages:
    """The same languages with other alphabets, for episodes within one and splits by whole ones.

    Args:
        languages: from `labelled_names`.
        by: "script", that of most of a language's names; "branch", by the table `BRANCHES`.

    Raises:
        ValueError: for another `by`.
    """
    instances(ml.images.LabelledImages, languages=languages)
    if by == "branch":
        groups = [BRANCHES.get(language, language.split("-")[0]) for language in languages.classes]
    elif by == "script":
        firsts = np.cumsum(languages.counts) - languages.counts
        order = np.argsort(languages.labels, kind="stable")
        groups = []
        for first, count in zip(firsts, languages.counts, strict=True):
            groups.append(script_of_name("".join(read_names(languages.images[order[first : first + count]]))))
    else:
        raise ValueError(f"by is {by!r}, expected 'script' or 'branch'")
    return replace(languages, alphabets=tuple(groups))


def _check_strings(**arguments: Collection[str]) -> None:
    for name, value in arguments.items():
        if isinstance(value, str) or not isinstance(value, Collection):
            raise TypeError(f"{name} is {value!r}, expected several strings")
        for text in value:
            instances(str, **{name: text})


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name).lower()


def _cut(name: str) -> str:
    return name.encode()[:LENGTH].decode(errors="ignore")


@cache
def _script_of(letter: str) -> str | None:
    return unicodedata.name(letter, "").split(" ")[0] if letter.isalpha() else None
