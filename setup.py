#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
SERIES = '8.0'
# Tryton module name -> directory relative to this file
MODULES = {
    'coop': '.',
    **{path.parent.name: f'modules/{path.parent.name}'
        for path in sorted(ROOT.glob('modules/*/tryton.cfg'))},
    }
DATA = [
    'tryton.cfg', '*.xml', '*.fodt', '*.html', 'share_*.txt', 'view/*.xml',
    'locale/*.po', 'locale/override/*.po', 'icons/*.svg', 'tests/*.rst',
    'tests/*.json', '*.csv', 'tests/*.csv', 'profiles/*.ini',
    'templates/*.html', 'static/*',
    ]
# What the files that people import need
FILES = ['Babel', 'charset-normalizer', 'openpyxl', 'schwifty']
# What serves the pages of the portal
PORTAL = [
    'Flask', 'Flask-WTF', 'Pillow', 'WTForms', 'flask-tryton', 'gunicorn']


def read_config(directory):
    config = ConfigParser()
    config.read(ROOT / directory / 'tryton.cfg')
    return config['tryton']


def get_packages():
    for name, directory in MODULES.items():
        package = f'trytond.modules.{name}'
        yield package, directory
        for sub in ['tests', 'scripts', 'views']:
            if (ROOT / directory / sub / '__init__.py').exists():
                yield f'{package}.{sub}', f'{directory}/{sub}'


def get_requires(key):
    names = set()
    for directory in MODULES.values():
        names.update(read_config(directory).get(key, '').split())
    return [
        f'trytond_{name} ~= {SERIES}.0'
        for name in sorted(names - {'ir', 'res'} - MODULES.keys())]


package_dir = dict(get_packages())
extras = get_requires('extras_depend')
setup(
    name='trytond-coop',
    version=read_config('.')['version'],
    description="Tryton modules for cooperatives: members, shares, patronage, "
    "commons and the general meeting",
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='GPL-3.0-or-later',
    license_files=['LICENSE', 'COPYRIGHT'],
    keywords='tryton cooperative members shares patronage commons',
    python_requires='>=3.10',
    package_dir=package_dir,
    packages=list(package_dir),
    package_data={package: DATA for package in package_dir},
    install_requires=[
        f'trytond ~= {SERIES}.0',
        *get_requires('depends'),
        'icalendar',
        'python-dateutil',
        'python-sql',
        'relatorio',
        'segno',
        ],
    extras_require={
        'all': extras,
        'portal': PORTAL,
        'import': [f'proteus ~= {SERIES}.0', 'tqdm', *FILES],
        'test': [
            *extras,
            *PORTAL,
            *FILES,
            f'proteus ~= {SERIES}.0',
            'hypothesis',
            'playwright',
            'psycopg[binary,pool]',
            'pycountry',
            'pytest',
            'pytest-xdist',
            'PyYAML',
            'vobject',
            ],
        'doc': ['sphinx'],
        'demo': ['Faker', *FILES, f'proteus ~= {SERIES}.0', 'tqdm'],
        },
    zip_safe=False,
    entry_points={
        'trytond.modules': [
            f'{name} = trytond.modules.{name}' for name in MODULES],
        'console_scripts': [
            'trytond_check_coop_books ='
            ' trytond.modules.coop_membership.scripts.check_books:run',
            'trytond_import_coop_members ='
            ' trytond.modules.coop_import.scripts.import_members:run',
            'trytond_import_coop_patronage ='
            ' trytond.modules.coop_import.scripts.import_patronage:run',
            'trytond_import_coop_usage ='
            ' trytond.modules.coop_import.scripts.import_usage:run',
            ],
        },
    classifiers=[
        'Development Status :: 4 - Beta',
        'Environment :: Plugins',
        'Framework :: Tryton',
        'Intended Audience :: Financial and Insurance Industry',
        'Operating System :: OS Independent',
        'Programming Language :: Python :: 3',
        'Topic :: Office/Business :: Financial :: Accounting',
        ],
    )
