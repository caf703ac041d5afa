"""Files of sources."""

import json

NODE = json.dumps({"scripts": {"start": "node .", "build": "vite"}})


def package(**fields):
    return json.dumps(fields)


FLASK = "from flask import Flask\napp = Flask(__name__)\n"
