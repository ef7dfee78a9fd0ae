"""All attacks, in the order of docs/security.md."""

from tests.attacks.forging import FORGING
from tests.attacks.hanging import HANGING
from tests.attacks.papers import PAPERS
from tests.attacks.reaching import REACHING

FAMILIES = {
    "What lies outside of the child": REACHING,
    "The machine and the run": HANGING,
    "The marks": FORGING,
    "Whoever reads": PAPERS,
}
ATTACKS = {attack.name: attack for family in FAMILIES.values() for attack in family}
