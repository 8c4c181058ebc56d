# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Prepare the databases of the tests in the browser: an empty one, and the
demo cooperative with few members before and after its general meeting."""
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / 'demo'))

from chapters import Story, copy
from play import DATABASE, Demo

CUSTOMERS = 60


class Cooperative(Demo):

    @property
    def chapters(self):
        return [
            self.install, self.keep_empty, self.found, self.admit, self.trade,
            self.share_room, self.share_computer, self.give_notice,
            self.settle, self.close, self.keep_before, self.decide, self.pay,
            self.keep_after]

    def keep(self, name):
        copy(self.directory / f'{DATABASE}.sqlite',
            self.directory / f'{name}.sqlite')

    def keep_empty(self):
        "The database is kept: empty, but for the currencies"
        self.keep('empty')
        subprocess.run([
                Path(sys.executable).with_name('trytond_import_currencies'),
                '-c', self.configuration, '-d', 'empty'],
            check=True, stdout=subprocess.DEVNULL)

    def keep_before(self):
        "The database is kept: before the meeting"
        self.keep('before')

    def keep_after(self):
        "The database is kept: after the meeting"
        self.keep('after')


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    demo = Cooperative(directory, CUSTOMERS)
    Story(directory / f'{DATABASE}.sqlite', demo.chapters).play()


if __name__ == '__main__':
    main(Path(sys.argv[1]))
