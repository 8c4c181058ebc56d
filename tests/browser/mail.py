# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""A mail server that keeps what it is given, for tests to read"""
import email
import email.policy
import socketserver
import threading


class _Handler(socketserver.StreamRequestHandler):

    def handle(self):
        self.say('220 mail')
        for line in self.rfile:
            command = line.strip().upper()
            if command.startswith(b'DATA'):
                self.say('354 go on')
                self.server.keep(self.read())
            elif command.startswith(b'QUIT'):
                self.say('221 bye')
                return
            self.say('250 ok')

    def say(self, text):
        self.wfile.write(f'{text}\r\n'.encode())

    def read(self):
        "Return the letter, which ends with a line of a point"
        lines = []
        for line in self.rfile:
            if line == b'.\r\n':
                break
            lines.append(line.removeprefix(b'.'))
        return b''.join(lines)


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), _Handler)
        self.port = self.server_address[1]
        self._letters = []
        self._arrived = threading.Condition()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return super().__enter__()

    def __exit__(self, *args):
        self.shutdown()
        super().__exit__(*args)

    def keep(self, content):
        with self._arrived:
            self._letters.append(email.message_from_bytes(
                    content, policy=email.policy.default))
            self._arrived.notify_all()

    def read(self, address):
        "Return the last letter to the address, for which it waits"
        def find():
            return [
                letter for letter in self._letters if address in letter['To']]
        with self._arrived:
            assert self._arrived.wait_for(find, timeout=30), address
            return find()[-1]
