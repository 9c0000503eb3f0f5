"""A function's process behind a Lambda Runtime API of ours."""

import http.server
import json
import queue
import subprocess
import threading
import time
import uuid

VARIABLES = {
    "AWS_LAMBDA_FUNCTION_NAME": "test",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_LOG_GROUP_NAME": "test",
    "AWS_LAMBDA_LOG_STREAM_NAME": "test",
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Delivers events and receives responses, one at a time."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        event = json.dumps(self.server.events.get()).encode()
        self.send_response(200)
        self.send_header("lambda-runtime-aws-request-id", str(uuid.uuid4()))
        self.send_header("lambda-runtime-deadline-ms", str(int(time.time() * 1000) + 30_000))
        self.send_header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:local:0:function:x")
        self.send_header("content-length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()
        self.server.answers.put((self.path.endswith("/response"), json.loads(body)))

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """Nothing: a function that is killed resets its connection."""


class Function:
    """Runs `command` with these variables until the end of the `with` block."""

    def __init__(self, command, environment):
        self.api = Server(("127.0.0.1", 0), Handler)
        self.api.events, self.api.answers = queue.Queue(), queue.Queue()
        threading.Thread(target=self.api.serve_forever, daemon=True).start()
        address = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.api.server_port}"}
        environment = {**VARIABLES, **environment, **address}
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.api.shutdown()

    def invoke(self, event):
        """Whether the function succeeded, and its response or error."""
        self.api.events.put(event)
        return self.api.answers.get(timeout=60)
