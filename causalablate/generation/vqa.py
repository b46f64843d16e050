"""Answers as the VQA evaluation compares them: without case, punctuation, articles, number words, odd contractions."""

import re

ARTICLES = frozenset({"a", "an", "the"})
NUMBERS = {
    **{"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"},
    **{"six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10"},
}

_WORDS = NUMBERS | {"none": "0"}
_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_THOUSANDS = re.compile(r"\d,\d")
_FULL_STOP = re.compile(r"\.(?!\d)")

_WRITTEN_OUT = """
ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've he's
how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've o'clock
oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd
someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've there're there's
they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's
where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't wouldn't've
y'all y'all'll y'all'd've you'd you'd've you'll you're you've
"""
_CONTRACTIONS = {
    word[:i] + word[i + 1 :]: word for word in _WRITTEN_OUT.split() for i, letter in enumerate(word) if letter == "'"
} | {"somebody'd": "somebodyd"}
"""Each with one apostrophe missing. The last is a slip of the evaluation's, kept so that scores agree."""


def normalised(text: str) -> str:
    """An answer in the form in which the VQA evaluation compares answers.

    Source: Antol et al. (2015), VQA: Visual Question Answering, ICCV; rules of the evaluation code for VQA v2.
    """
    text = text.replace("\n", " ").replace("\t", " ").strip()
    words = (_WORDS.get(word, word) for word in _without_punctuation(text).lower().split())
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)


def _without_punctuation(text: str) -> str:
    """A mark beside a space goes, any other becomes a space; where a number has a comma, every mark goes."""
    joined, bare = _THOUSANDS.search(text) is not None, text
    for mark in _PUNCTUATION:
        goes = joined or f"{mark} " in text or f" {mark}" in text
        bare = bare.replace(mark, "" if goes else " ")
    return _FULL_STOP.sub("", bare)
