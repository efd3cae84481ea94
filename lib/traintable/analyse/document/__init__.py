"""The profile of a table as plain data: every key of the document, with its type.

A profile is lists, dicts, texts and numbers, as JSON has them, and the same in memory as in `profile.json`. Its parts
are TypedDicts, so that mypy knows each key of it and `profile_schema` gives its JSON Schema. A `Number` is None where
it is not finite. A pair, for example a value and its rows, is typed as a tuple, which says what stands at which place;
it is a list, as JSON has no tuples.

| module | parts |
| --- | --- |
| `profile` | `ProfileDocument`, the whole; `Scan`, `Leak`, `Headline` |
| `columns` | `ColumnProfile` and what it is made of |
| `table` | `Missingness`, `Imbalance`, `Associations`, `HypothesisTest` |
| `rows` | `Anomalies`, `Importance` |
| `hints` | `Hint`, with the piece of a plan that it proposes |
| `plan` | `ProposedPlan`, which is no part of the profile, but follows from it |
| `drift` | `TableDrift` |
"""

from traintable.analyse.document.base import Histogram, Number
from traintable.analyse.document.columns import (
    Bounds,
    ClassValues,
    ClassWords,
    ColumnProfile,
    Coverage,
    Distinct,
    Flag,
    FlagName,
    Kind,
    LabelAssociation,
    Lengths,
    OutlierRules,
    Role,
    Value,
)
from traintable.analyse.document.drift import ColumnDrift, NotCompared, Severity, TableDrift, TypeChange
from traintable.analyse.document.hints import (
    FeaturePieces,
    Hint,
    InteractionHint,
    PeriodicHint,
    ProductPieces,
    RareCategoriesHint,
    TransformHint,
)
from traintable.analyse.document.plan import (
    Advice,
    Alternative,
    DropDecision,
    FeatureDecision,
    OutlierDecision,
    Product,
    ProposedPlan,
    Steps,
)
from traintable.analyse.document.profile import (
    FORMAT,
    Headline,
    HeadlineSeverity,
    Leak,
    ProfileDocument,
    Scan,
    profile_schema,
)
from traintable.analyse.document.rows import (
    Anomalies,
    ColumnImportance,
    Importance,
    MahalanobisDistances,
    Period,
    PeriodReason,
    Probes,
    UnusualRow,
)
from traintable.analyse.document.table import (
    Associations,
    Cluster,
    CorrelationRatio,
    EffectSize,
    HypothesisTest,
    Imbalance,
    InformationMatrix,
    Missingness,
    MissingPattern,
)

__all__ = [
    "FORMAT",
    "Advice",
    "Alternative",
    "Anomalies",
    "Associations",
    "Bounds",
    "ClassValues",
    "ClassWords",
    "Cluster",
    "ColumnDrift",
    "ColumnImportance",
    "ColumnProfile",
    "CorrelationRatio",
    "Coverage",
    "Distinct",
    "DropDecision",
    "EffectSize",
    "FeatureDecision",
    "FeaturePieces",
    "Flag",
    "FlagName",
    "Headline",
    "HeadlineSeverity",
    "Hint",
    "Histogram",
    "HypothesisTest",
    "Imbalance",
    "Importance",
    "InformationMatrix",
    "InteractionHint",
    "Kind",
    "LabelAssociation",
    "Leak",
    "Lengths",
    "MahalanobisDistances",
    "MissingPattern",
    "Missingness",
    "NotCompared",
    "Number",
    "OutlierDecision",
    "OutlierRules",
    "Period",
    "PeriodReason",
    "PeriodicHint",
    "Probes",
    "Product",
    "ProductPieces",
    "ProfileDocument",
    "ProposedPlan",
    "RareCategoriesHint",
    "Role",
    "Scan",
    "Severity",
    "Steps",
    "TableDrift",
    "TransformHint",
    "TypeChange",
    "UnusualRow",
    "Value",
    "profile_schema",
]
