"""A national register from its download to a merged study with completeness.

The data are not in this repository. Download them first, and set the paths:

- OCM_REGISTER: the register, such as the consolidated IRVE file of France
  (https://transport.data.gouv.fr/datasets/base-nationale-des-irve-infrastructures-de-recharge-pour-vehicules-electriques)
  or the DOT-NL feed of the Netherlands (https://opendata.ndw.nu), in a format of `ocm.registers()`;
- OCM_EXPORT: Open Charge Map's export (https://github.com/openchargemap/ocm-export), the folder or
  file of the country;
- OCM_AREA: west,south,east,north, by which both are cut;
- OCM_KIND: the kind of the register, such as irve or ocpi: see `ocm.registers()`.
"""

import os

import ocm_geo as ocm

REGISTER, EXPORT = os.environ["OCM_REGISTER"], os.environ["OCM_EXPORT"]
WEST, SOUTH, EAST, NORTH = (float(part) for part in os.environ["OCM_AREA"].split(","))
BOX = WEST, SOUTH, EAST, NORTH

sources: dict[str, ocm.Source] = {
    "ocm": ocm.Mirror.build("ocm-mirror", EXPORT),
    "register": ocm.Mirror.build("register-mirror", REGISTER, register=os.environ["OCM_KIND"]),
}
tables = {name: ocm.stations_from_bbox(BOX, source=source) for name, source in sources.items()}
matches = ocm.match_stations(tables["ocm"], tables["register"])
table = ocm.completeness(tables["ocm"], tables["register"], matches=matches)
ocm.save_figure(ocm.plot_completeness(table, names=list(tables)), "completeness.png")
merged = ocm.merge_stations(tables, prefer=["register", "ocm"], matches=matches)
study = {"area": {"bbox": list(BOX)}, "coverage": {"within_km": [1, 5]}}
for name, source in {**sources, "merged": ocm.TableSource(merged)}.items():
    second = "register-mirror" if name == "ocm" else "ocm-mirror"
    both = {} if name == "merged" else {"completeness": {"source": second, "n_draws": 3}}
    result = ocm.run_study({**study, **both}, f"study-{name}", source=source)
    print(name, result.coverage, sep="\n")
