#!/usr/bin/env python3
"""Runs the example `echo_server` (environment variable ECHO_SERVER) and checks that it sends back what it gets."""
import os
import signal
import socket
import subprocess
import unittest


class EchoServerTest(unittest.TestCase):
    def test_it_sends_back_what_comes_and_ends_on_sigterm(self):
        with subprocess.Popen([os.environ["ECHO_SERVER"], "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as server:
            port = int(server.stdout.readline().rsplit(":", 1)[1])
            clients = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(20)]
            for number, client in enumerate(clients):
                client.sendall(bytes([number]) * 10_000)
            for number, client in enumerate(clients):
                back = b""
                while len(back) < 10_000:
                    back += client.recv(65536)
                self.assertEqual(back, bytes([number]) * 10_000)
            server.send_signal(signal.SIGTERM)  # with all clients connected
            self.assertEqual(server.wait(timeout=60), 0)
            for client in clients:
                client.close()

    def test_a_bad_address_is_an_error(self):
        run = subprocess.run([os.environ["ECHO_SERVER"], "nowhere"], stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn("nowhere", run.stderr)


if __name__ == "__main__":
    unittest.main()
