# find_package(suanli) for C++ programs: headers, the layers' libraries and the target suanli::suanli.
