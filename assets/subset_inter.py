"""Makes Inter-Regular.ttf and Inter-Bold.ttf from the npm package @fontsource/inter.

Usage: python3 subset_inter.py PACKAGE_FOLDER OUTPUT_FOLDER    (needs fonttools and brotli)
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

WEIGHTS = {"Regular": 400, "Bold": 700}
CHARACTERS = [
    *range(0x20, 0x7F),
    *range(0xA0, 0x100),
    *[0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2026, 0x20AC],
    *[0x2192, 0x2212, 0x2264, 0x2265, 0x03BC],
]
# The charts' text layout reads no OpenType features; without their tables a font is half the size.
DROPPED_TABLES = ["GSUB", "GPOS", "GDEF", "STAT"]


def convert(package: Path, weight: int, target: Path) -> None:
    # A fixed time stamp keeps the output the same from one day to the next.
    font = TTFont(package / f"files/inter-latin-{weight}-normal.woff2", recalcTimestamp=False)
    font.flavor = None
    # The Latin part lacks the Greek mu, which the charts use as the micro sign.
    for table in font["cmap"].tables:
        if table.isUnicode() and 0xB5 in table.cmap:
            table.cmap[0x3BC] = table.cmap[0xB5]
    options = subset.Options(
        hinting=False,
        layout_features=[],
        name_IDs=["*"],
        notdef_outline=True,
        recalc_timestamp=False,
    )
    options.drop_tables += DROPPED_TABLES
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(font)
    font.save(target)
    missing = [f"U+{code:04X}" for code in CHARACTERS if code not in font.getBestCmap()]
    print(f"{target.name}: {target.stat().st_size} bytes, not in the source: {' '.join(missing)}")


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    package, output = Path(sys.argv[1]), Path(sys.argv[2])
    for name, weight in WEIGHTS.items():
        convert(package, weight, output / f"Inter-{name}.ttf")


if __name__ == "__main__":
    main()
