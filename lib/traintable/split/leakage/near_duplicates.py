"""Rows of validation and test that are nearly rows of train: the same words, or all but a few values the same."""

from __future__ import annotations

from scipy import stats  # type: ignore[import-untyped]

from traintable.split.leakage.duplicates import MIN_COPIES, is_distinctive, labels_agree
from traintable.split.leakage.evidence import Evidence
from traintable.split.leakage.finding import LeakFinding, Measure, Severity
from traintable.split.leakage.matching import Matches, column_bucketing, find_matches, minhash_bucketing, n_differing
from traintable.split.leakage.sample import LeakageSample, row_tokens, text_tokens

_CHANCE = 0.001


def near_duplicates(evidence: Evidence, sample: LeakageSample) -> list[LeakFinding]:
    """Held-out rows that are nearly a row of train, by each column of free text and by all features together.

    A text is the set of its runs of `shingle_words` words, of which the first 1,000 count; a row is the set of its
    (column, value) pairs. Sets whose Jaccard similarity is at least `similarity` are near duplicates, and each
    candidate's similarity is computed exactly, so none is found that isn't one. Candidates of a text share a MinHash
    bucket, so of pairs at the threshold a share of 1 - (1 - s**r)**b is found, and of closer ones more; of rows none is
    missed.

    The sampled held-out rows are compared with all of train, `examined` says how many; so are those of train, which
    says how often a row has a near duplicate without a leak. Of the sampled rows in the bucket of one row of train, at
    most `max_candidates` are compared, `crowded` says how many pairs were not.

    Texts: a share above `max_near_duplicates` is severe. Rows: equal ones are left to `duplicates`, so at 0.8 nine
    columns are needed; severe when held-out rows have near duplicates in train at least twice as often as rows of train
    have (binomial test at 0.001); a warning when as often, but rows are distinctive and their labels agree. Fewer than
    three near duplicates are none. Costs one pass over train for each text column, and one for the features.
    """
    table = evidence.table
    findings = []
    if n_differing(len(sample.compared), table.limits.similarity):
        findings += _of_rows(evidence, sample)
    for i, name in enumerate(table.text):
        tokens, bucketing = text_tokens(table, name), minhash_bucketing(table.limits, table.seed)
        matches = find_matches(table, sample, f"text {i}", tokens, bucketing, equal=True)
        if matches.held >= MIN_COPIES and matches.share > table.limits.max_near_duplicates:
            findings.append(_finding(matches, (name,), "severe", evidence))
    return findings


def _of_rows(evidence: Evidence, sample: LeakageSample) -> list[LeakFinding]:
    """The finding about rows as sets of (column, value) pairs, if there is one."""
    table = evidence.table
    bucketing = column_bucketing(len(sample.compared), table.limits.similarity)
    matches = find_matches(table, sample, "tokens", row_tokens(sample.compared), bucketing, equal=False)
    if matches.held < MIN_COPIES or matches.share <= table.limits.max_near_duplicates:
        return []
    usual = min(1.0, (matches.train + 1) / (matches.n_train + 1))
    if stats.binom.sf(matches.held - 1, matches.n_held, usual) < _CHANCE and matches.share > 2 * usual:
        return [_finding(matches, (), "severe", evidence)]
    if is_distinctive(evidence, evidence.survey.n_rows) and labels_agree(
        matches.same, matches.held, evidence.same_by_chance
    ):
        return [_finding(matches, (), "warning", evidence)]
    return []


def _finding(matches: Matches, columns: tuple[str, ...], severity: Severity, evidence: Evidence) -> LeakFinding:
    """The finding about rows, or about texts of the column `columns` names, with what was counted."""
    numbers: dict[str, Measure] = {
        "share_of_held_out_rows": matches.share,
        "share_of_train_rows": matches.train / max(1, matches.n_train),
        "rows": matches.held,
        "examined": f"{matches.n_held} of {evidence.n_held}",
        "crowded": matches.crowded,
        "highest_similarity": matches.similarity,
        "similarity": evidence.table.limits.similarity,
        "limit": evidence.table.limits.max_near_duplicates,
        "examples": "; ".join(matches.examples),
    }
    return LeakFinding(
        "near_duplicates",
        severity,
        columns,
        f"{'texts' if columns else 'rows'} of validation or test are nearly those of rows of train",
        "Remove near duplicates before the split, or split by a group that holds them together.",
        numbers,
    )
