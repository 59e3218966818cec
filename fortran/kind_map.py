{
    "real": {"": "float", "4": "float", "8": "double", "rk": "double", "real32": "float", "real64": "double"},
    "integer": {
        "": "int", "4": "int", "8": "long_long", "ik": "int", "lk": "long_long", "int32": "int", "int64": "long_long",
    },
    "logical": {"": "int"},
}
