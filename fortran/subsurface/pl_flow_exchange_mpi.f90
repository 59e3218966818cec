!> Halo exchange and reductions of the distributed subsurface: the one place that communicates.
!>
!> A rank holds a rectangle of columns with a rim of one column. Fields are (0:nx+1, nz, 0:ny+1); corners are not needed.
module pl_flow_exchange
   use mpi_f08, only: mpi_allgather, mpi_allreduce, mpi_comm, mpi_comm_rank, mpi_comm_size, mpi_double_precision, &
                      mpi_irecv, mpi_isend, mpi_max, mpi_op, mpi_request, mpi_statuses_ignore, mpi_sum, mpi_waitall
   use pl_error, only: error_input, error_type, raise_error
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: add_over_ranks, create_exchange, exchange_halo, flow_exchange_type, gather_over_ranks, largest_over_ranks

   !> Neighbours of a rank; without any nothing is sent.
   type :: flow_exchange_type
      integer :: size = 1          !! ranks [1]
      integer :: rank = 0          !! this one, from 0 [1]
      integer :: tiles(2) = 1      !! ranks from west to east and from south to north [1]
      integer :: west = -1         !! rank of the neighbour, -1 at the rim
      integer :: east = -1         !! rank of the neighbour, -1 at the rim
      integer :: south = -1        !! rank of the neighbour, -1 at the rim
      integer :: north = -1        !! rank of the neighbour, -1 at the rim
      type(mpi_comm) :: comm       !! of the ranks of one model
      real(rk), allocatable :: buffer(:, :) !! (size of the largest face, 8)
   end type flow_exchange_type

contains

   !> Set the neighbours; `comm` is a Fortran handle and not read for one rank.
   subroutine create_exchange(exchange, comm, tiles, neighbours, face, error)
      type(flow_exchange_type), intent(inout) :: exchange
      integer, intent(in) :: comm          !! MPI communicator as an integer
      integer, intent(in) :: tiles(2)      !! ranks from west to east and from south to north, numbered in this order [1]
      integer, intent(in) :: neighbours(4) !! ranks in the west, east, south and north, -1 for none
      integer, intent(in) :: face          !! values of the largest face [1]
      type(error_type), allocatable, intent(out) :: error !! a neighbour that does not exist
      exchange%west = neighbours(1)
      exchange%east = neighbours(2)
      exchange%south = neighbours(3)
      exchange%north = neighbours(4)
      exchange%size = 1
      exchange%rank = 0
      if (all(neighbours < 0)) return
      exchange%comm%mpi_val = comm
      call mpi_comm_size(exchange%comm, exchange%size)
      call mpi_comm_rank(exchange%comm, exchange%rank)
      exchange%tiles = tiles
      if (any(neighbours >= exchange%size) .or. product(tiles) /= exchange%size) then
         call raise_error(error, error_input, "flow: tiles and neighbours do not fit the ranks of the communicator")
         return
      end if
      if (.not. allocated(exchange%buffer)) allocate (exchange%buffer(face, 8))
   end subroutine create_exchange

   !> Fill the rim of a field from the neighbours.
   subroutine exchange_halo(exchange, nx, nz, ny, field)
      type(flow_exchange_type), intent(inout) :: exchange
      integer, intent(in) :: nx, nz, ny
      real(rk), intent(inout) :: field(0:nx + 1, nz, 0:ny + 1)
      type(mpi_request) :: request(8)
      integer :: count, sides(4), n(4), s
      if (exchange%size == 1) return
      sides = [exchange%west, exchange%east, exchange%south, exchange%north]
      n = [nz*ny, nz*ny, nx*nz, nx*nz]
      associate (b => exchange%buffer)
         if (sides(1) >= 0) b(:n(1), 1) = reshape(field(1, :, 1:ny), [n(1)])
         if (sides(2) >= 0) b(:n(2), 2) = reshape(field(nx, :, 1:ny), [n(2)])
         if (sides(3) >= 0) b(:n(3), 3) = reshape(field(1:nx, :, 1), [n(3)])
         if (sides(4) >= 0) b(:n(4), 4) = reshape(field(1:nx, :, ny), [n(4)])
         count = 0
         do s = 1, 4
            if (sides(s) < 0) cycle
            count = count + 1
            call mpi_irecv(b(:, 4 + s), n(s), mpi_double_precision, sides(s), opposite(s), exchange%comm, request(count))
         end do
         do s = 1, 4
            if (sides(s) < 0) cycle
            count = count + 1
            call mpi_isend(b(:, s), n(s), mpi_double_precision, sides(s), s, exchange%comm, request(count))
         end do
         call mpi_waitall(count, request(:count), mpi_statuses_ignore)
         if (sides(1) >= 0) field(0, :, 1:ny) = reshape(b(:n(1), 5), [nz, ny])
         if (sides(2) >= 0) field(nx + 1, :, 1:ny) = reshape(b(:n(2), 6), [nz, ny])
         if (sides(3) >= 0) field(1:nx, :, 0) = reshape(b(:n(3), 7), [nx, nz])
         if (sides(4) >= 0) field(1:nx, :, ny + 1) = reshape(b(:n(4), 8), [nx, nz])
      end associate
   end subroutine exchange_halo

   !> Side from which a neighbour sends what this rank receives at side `s`.
   pure integer function opposite(s)
      integer, intent(in) :: s !! 1 west, 2 east, 3 south, 4 north
      opposite = s + merge(1, -1, mod(s, 2) == 1)
   end function opposite

   !> Sum over all ranks, value by value.
   subroutine add_over_ranks(exchange, values)
      type(flow_exchange_type), intent(in) :: exchange
      real(rk), intent(inout) :: values(:)
      call reduce_over_ranks(exchange, values, mpi_sum)
   end subroutine add_over_ranks

   !> Largest over all ranks, value by value.
   subroutine largest_over_ranks(exchange, values)
      type(flow_exchange_type), intent(in) :: exchange
      real(rk), intent(inout) :: values(:)
      call reduce_over_ranks(exchange, values, mpi_max)
   end subroutine largest_over_ranks

   !> Reduce over all ranks, value by value.
   subroutine reduce_over_ranks(exchange, values, operation)
      type(flow_exchange_type), intent(in) :: exchange
      real(rk), intent(inout) :: values(:)
      type(mpi_op), intent(in) :: operation
      real(rk) :: mine(size(values))
      if (exchange%size == 1) return
      mine = values
      call mpi_allreduce(mine, values, size(values), mpi_double_precision, operation, exchange%comm)
   end subroutine reduce_over_ranks

   !> What all ranks hold, on every rank.
   subroutine gather_over_ranks(exchange, mine, whole)
      type(flow_exchange_type), intent(in) :: exchange
      real(rk), intent(in) :: mine(:)
      real(rk), intent(out) :: whole(:, :) !! (as mine, rank)
      if (exchange%size == 1) then
         whole(:, 1) = mine
      else
         call mpi_allgather(mine, size(mine), mpi_double_precision, whole, size(mine), mpi_double_precision, exchange%comm)
      end if
   end subroutine gather_over_ranks

end module pl_flow_exchange
