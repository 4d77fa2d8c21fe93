#!/usr/bin/env python3
"""Runs the example `http_server` (environment variable HTTP_SERVER) and talks to it, also as no decent client would."""
import email.utils
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest


class Server:
    """The program, serving a directory that goes with it."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory()
        outside = pathlib.Path(self.folder.name)
        self.root = outside / "root"
        self.root.mkdir()
        (outside / "secret").write_text("secret")
        self.process = subprocess.Popen([os.environ["HTTP_SERVER"], self.root, "--listen", "127.0.0.1:0", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.port))
        client.settimeout(60)
        return client

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=60)
        self.folder.cleanup()
        return self.process.returncode, errors


def read_answer(stream, has_body=True):
    """Status, headers and body of the next answer; None at the end of the connection."""
    line = stream.readline()
    if not line:
        return None
    status = int(line.split()[1])
    headers = {}
    while (line := stream.readline().strip()):
        name, value = line.decode().split(": ", 1)
        headers[name.lower()] = value
    body = stream.read(int(headers.get("content-length", 0))) if has_body and status != 304 else b""
    return status, headers, body


class HttpServerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--head-time", "600000")
        root = cls.server.root
        (root / "index.html").write_text("<p>home</p>")
        (root / "digits.txt").write_text("0123456789")
        (root / "empty").write_text("")
        (root / "a b").write_text("space")
        cls.large = os.urandom(3_000_000)
        (root / "large").write_bytes(cls.large)
        (root / "below").mkdir()
        (root / "out").symlink_to("../secret")
        (root / "absolute").symlink_to("/etc/hostname")
        (root / "up").symlink_to("..")
        (root / "inside").symlink_to("digits.txt")
        os.mkfifo(root / "pipe")

    @classmethod
    def tearDownClass(cls):
        code, errors = cls.server.end()
        assert code == 0, errors

    def send(self, text, has_body=True):
        with self.server.connect() as client, client.makefile("rb") as stream:
            client.sendall(text if isinstance(text, bytes) else text.encode())
            return read_answer(stream, has_body)

    def get(self, path, *headers, method="GET"):
        lines = "".join(each + "\r\n" for each in headers)
        return self.send(f"{method} {path} HTTP/1.1\r\nHost: here\r\n{lines}\r\n", method != "HEAD")

    def test_files_are_served_with_type_length_and_tag(self):
        status, headers, body = self.get("/digits.txt")
        self.assertEqual((status, body), (200, b"0123456789"))
        self.assertEqual(headers["content-type"], "text/plain")
        self.assertEqual(headers["content-length"], "10")
        self.assertRegex(headers["etag"], '^"[0-9a-f]+-[0-9a-f]+"$')
        self.assertRegex(headers["date"], "^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$")
        self.assertLess(abs(email.utils.parsedate_to_datetime(headers["date"]).timestamp() - time.time()), 600)
        self.assertEqual(self.get("/")[2], b"<p>home</p>")
        self.assertEqual(self.get("/a%20b")[2], b"space")
        self.assertEqual(self.get("/digits.txt?query#part")[2], b"0123456789")
        self.assertEqual(self.get("http://here/digits.txt")[2], b"0123456789")
        self.assertEqual(self.get("/inside")[2], b"0123456789")
        self.assertEqual(self.get("/empty")[:3:2], (200, b""))
        self.assertEqual(self.get("/large")[2], self.large)

    def test_head_gives_the_headers_only(self):
        status, headers, body = self.get("/large", method="HEAD")
        self.assertEqual((status, headers["content-length"], body), (200, "3000000", b""))

    def test_what_leads_out_of_the_root_is_not_there(self):
        for path in ("/../secret", "/%2e%2e/secret", "/..%2fsecret", "/below/../../secret", "//../secret", "/out",
                     "/absolute", "/up/secret", "/up/root/digits.txt", "//etc/hostname", "/below/%2E%2E/%2E%2E/secret"):
            status, _, body = self.get(path)
            self.assertEqual(status, 404, path)
            self.assertNotIn(b"secret\n", body)
        self.assertEqual(self.get("/below/../digits.txt")[0], 200, "this one stays inside")

    def test_what_is_no_regular_file_is_not_there(self):
        for path in ("/none", "/below", "/below/", "/pipe", "/digits.txt/", "/" + "a" * 300):
            self.assertEqual(self.get(path)[0], 404, path)

    def test_ranges(self):
        def part(text):
            status, headers, body = self.get("/digits.txt", "Range: " + text)
            return status, headers.get("content-range"), body if status < 400 else b""
        self.assertEqual(part("bytes=2-4"), (206, "bytes 2-4/10", b"234"))
        self.assertEqual(part("bytes=7-"), (206, "bytes 7-9/10", b"789"))
        self.assertEqual(part("bytes=-3"), (206, "bytes 7-9/10", b"789"))
        self.assertEqual(part("bytes=-99"), (206, "bytes 0-9/10", b"0123456789"))
        self.assertEqual(part("bytes=5-99999999999999999999999"), (206, "bytes 5-9/10", b"56789"))
        for text in ("bytes=10-", "bytes=99-100", "bytes=-0", "bytes=99999999999999999999999-"):
            self.assertEqual(part(text), (416, "bytes */10", b""), text)
        for text in ("bytes=4-2", "bytes=", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "bytes=+1-2"):
            self.assertEqual(part(text), (200, None, b"0123456789"), text)
        status, headers, body = self.get("/large", "Range: bytes=1000000-2999998")
        self.assertEqual((status, headers["content-length"]), (206, "1999999"))
        self.assertEqual(body, self.large[1_000_000:2_999_999])

    def test_conditions(self):
        tag = self.get("/digits.txt")[1]["etag"]
        self.assertEqual(self.get("/digits.txt", f'If-None-Match: "x", {tag}')[0], 304)
        self.assertEqual(self.get("/digits.txt", 'If-None-Match: "x"')[0], 200)
        self.assertEqual(self.get("/digits.txt", "Range: bytes=0-0", f"If-Range: {tag}")[2], b"0")
        self.assertEqual(self.get("/digits.txt", "Range: bytes=0-0", 'If-Range: "x"')[0], 200)

    def test_a_changed_file_has_another_tag(self):
        path = self.server.root / "changing"
        path.write_text("one")
        first = self.get("/changing")[1]["etag"]
        path.write_text("two!")
        self.assertNotEqual(self.get("/changing")[1]["etag"], first)

    def test_a_connection_is_kept_and_requests_may_be_sent_ahead(self):
        paths = ["/digits.txt", "/none", "/large", "/"] * 5
        with self.server.connect() as client, client.makefile("rb") as stream:
            client.sendall("".join(f"GET {each} HTTP/1.1\r\nHost: here\r\n\r\n" for each in paths).encode())
            for path in paths:
                status, _, body = read_answer(stream)
                self.assertEqual(status, 404 if path == "/none" else 200)
                if path == "/large":
                    self.assertEqual(body, self.large)

    def test_a_request_may_come_byte_by_byte_and_have_a_body(self):
        text = b"GET /digits.txt HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nbodyGET / HTTP/1.1\r\nHost: x\r\n\r\n"
        with self.server.connect() as client, client.makefile("rb") as stream:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for each in text:
                client.sendall(bytes([each]))
            self.assertEqual(read_answer(stream)[2], b"0123456789")
            self.assertEqual(read_answer(stream)[2], b"<p>home</p>")

    def test_the_connection_ends_when_the_client_says_so(self):
        for text in ("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"):
            with self.server.connect() as client, client.makefile("rb") as stream:
                client.sendall(text.encode())
                self.assertEqual(read_answer(stream)[0], 200)
                self.assertIsNone(read_answer(stream))

    def test_odd_requests_are_refused(self):
        host = "Host: here\r\n"
        refused = {
            "nonsense\r\n\r\n": 400,
            "GET / HTTP/1.1\r\n\r\n": 400,
            f"GET / HTTP/1.1\r\n{host}{host}\r\n": 400,
            f"GET /%zz HTTP/1.1\r\n{host}\r\n": 400,
            f"GET /%2 HTTP/1.1\r\n{host}\r\n": 400,
            f"GET /a%00b HTTP/1.1\r\n{host}\r\n": 400,
            f"OPTIONS * HTTP/1.1\r\n{host}\r\n": 405,
            f"POST / HTTP/1.1\r\n{host}Content-Length: 0\r\n\r\n": 405,
            f"GET / HTTP/3.0\r\n{host}\r\n": 505,
            f"GET / HTTP/1.1\r\n{host}" + "A: b\r\n" * 200 + "\r\n": 431,
            f"GET / HTTP/1.1\r\n{host}A: " + "b" * 30_000: 431,
            f"GET / HTTP/1.1\r\n{host}" + "b" * 30_000: 431,
            "GET /" + "a" * 30_000: 414,
            f"GET / HTTP/1.1\r\n{host}Content-Length: 1000000\r\n\r\n" + "b" * 70_000: 413,
            f"GET / HTTP/1.1\r\n{host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
        }
        for text, status in refused.items():
            self.assertEqual(self.send(text)[0], status, text[:80])

    def test_clients_that_vanish_do_no_harm(self):
        for _ in range(50):
            with self.server.connect() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
                client.sendall(b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n" * 3)
        self.assertEqual(self.get("/digits.txt")[0], 200)


class EndTest(unittest.TestCase):
    def test_a_slow_client_is_told_so_and_cut_off(self):
        server = Server("--head-time", "200")
        (server.root / "file").write_text("x")
        whole = b"GET /file HTTP/1.1\r\nHost: here\r\n"
        for sent in (b"G", b"GET /file HT", whole, whole + b"Content-Length: 5\r\n\r\nbod"):
            with server.connect() as client, client.makefile("rb") as stream:
                client.sendall(sent)
                status, headers, _ = read_answer(stream)
                self.assertEqual((status, headers["connection"]), (408, "close"), sent)
                self.assertIsNone(read_answer(stream))
        # Also after a request that was complete.
        with server.connect() as client, client.makefile("rb") as stream:
            client.sendall(whole + b"\r\n" + whole)
            self.assertEqual([read_answer(stream)[0] for _ in range(2)], [200, 408])
            self.assertIsNone(read_answer(stream))
        self.assertEqual(server.end()[0], 0)

    def test_a_byte_now_and_then_does_not_win_more_time(self):
        server = Server("--head-time", "300")
        with server.connect() as client, client.makefile("rb") as stream:
            ended = threading.Event()

            def drip():
                try:
                    client.sendall(b"GET / HTTP/1.1\r\nA: ")
                    while not ended.wait(0.02):
                        client.sendall(b"a")
                except OSError:
                    pass  # the server has hung up
            dripping = threading.Thread(target=drip)
            dripping.start()
            self.assertEqual(read_answer(stream)[0], 408)
            ended.set()
            dripping.join()
        self.assertEqual(server.end()[0], 0)

    def test_an_idle_client_is_cut_off_without_a_word(self):
        server = Server("--idle-time", "200")
        (server.root / "file").write_text("x")
        with server.connect() as client, client.makefile("rb") as stream:
            client.sendall(b"GET /file HTTP/1.1\r\nHost: here\r\n\r\n")
            self.assertEqual(read_answer(stream)[0], 200)
            self.assertIsNone(read_answer(stream))
        with server.connect() as client:
            self.assertEqual(client.recv(1), b"")
        self.assertEqual(server.end()[0], 0)

    def test_a_refusal_reaches_a_client_that_goes_on_sending(self):
        server = Server()
        for _ in range(20):
            with server.connect() as client, client.makefile("rb") as stream:
                client.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 60000\r\n\r\n" + b"b" * 60_000)
                self.assertEqual(read_answer(stream)[0], 405)
                self.assertIsNone(read_answer(stream))
        self.assertEqual(server.end()[0], 0)

    def test_a_client_that_takes_nothing_is_cut_off(self):
        server = Server("--send-time", "200", "--grace", "600000")
        (server.root / "large").write_bytes(bytes(50_000_000))
        with server.connect() as client:
            client.sendall(b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n")
            # The server ends when it has no sessions left: long before the end of the grace.
            self.assertEqual(server.end()[0], 0)

    def test_sigterm_ends_idle_connections_and_lets_a_reply_end(self):
        server = Server("--grace", "60000")
        large = os.urandom(20_000_000)
        (server.root / "large").write_bytes(large)
        with server.connect() as idle, server.connect() as busy, busy.makefile("rb") as stream:
            busy.sendall(b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n")
            first = stream.read(1)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(idle.recv(1), b"")
            rest = stream.read()
            self.assertTrue((first + rest).endswith(large))
        self.assertEqual(server.process.wait(timeout=60), 0)
        server.end()

    def test_more_connections_than_allowed_wait(self):
        server = Server("--connections", "2")
        (server.root / "file").write_text("x")
        request = b"GET /file HTTP/1.1\r\nHost: here\r\n\r\n"
        clients = [server.connect() for _ in range(5)]
        for client in clients:
            client.sendall(request)
        for client in clients:  # each is served once one before it has gone
            self.assertEqual(read_answer(client.makefile("rb"))[2], b"x")
            client.close()
        self.assertEqual(server.end()[0], 0)


if __name__ == "__main__":
    unittest.main()
