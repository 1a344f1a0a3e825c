"""The header that CodeCarbon gives emissions.csv, from its own record of a run.

usage: python emissions_header.py CODECARBON_FOLDER > emissions_header.csv      (codecarbon 3.3.2; its folder
`codecarbon/`, as `pip download --no-deps codecarbon` and unzip give it; nothing else of it is needed)
"""
import dataclasses
import importlib.util
import sys

path = f"{sys.argv[1]}/output_methods/emissions_data.py"
spec = importlib.util.spec_from_file_location("emissions_data", path)
module = importlib.util.module_from_spec(spec)
sys.modules["emissions_data"] = module
spec.loader.exec_module(module)
print(",".join(field.name for field in dataclasses.fields(module.EmissionsData)))
