/// Which of several processes this one is, as torchrun or Open MPI's mpirun say.
#pragma once

#include <string>

namespace suanli::dist {

/// One process for each GPU of one machine; rank 0 leads. Alone: rank 0 of 1.
struct Launch {
  int rank = 0, local_rank = 0, size = 1;
  std::string address = "127.0.0.1";  ///< where rank 0 listens
  int port = 29500;
};

/// From torchrun's RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, or from OMPI_COMM_WORLD_RANK,
/// ..._LOCAL_RANK and ..._SIZE. Where torchrun itself listens at MASTER_PORT, rank 0 takes the port after it. Throws
/// UserError where they contradict each other, or name processes on several machines.
Launch launch_of_environment();

}  // namespace suanli::dist
