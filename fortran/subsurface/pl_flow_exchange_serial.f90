!> Stand-in for the exchange between ranks in a build without MPI.
module pl_flow_exchange
   use pl_error, only: error_type, error_unavailable, raise_error
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: add_over_ranks, create_exchange, exchange_halo, flow_exchange_type, gather_over_ranks, largest_over_ranks

   !> One rank without neighbours.
   type :: flow_exchange_type
      integer :: size = 1 !! ranks [1]
      integer :: rank = 0 !! this one, from 0 [1]
      integer :: tiles(2) = 1 !! ranks from west to east and from south to north [1]
   end type flow_exchange_type

contains

   !> Accept no neighbours.
   subroutine create_exchange(exchange, comm, tiles, neighbours, face, error)
      type(flow_exchange_type), intent(inout) :: exchange
      integer, intent(in) :: comm          !! not read
      integer, intent(in) :: tiles(2)      !! ranks from west to east and from south to north [1]
      integer, intent(in) :: neighbours(4) !! ranks in the west, east, south and north, -1 for none
      integer, intent(in) :: face          !! not read
      type(error_type), allocatable, intent(out) :: error !! a neighbour
      exchange%size = 1
      exchange%rank = 0
      if (any(neighbours >= 0) .or. any(tiles /= 1)) then
         call raise_error(error, error_unavailable, "flow: this build has no MPI; run on one rank or build with -Dmpi=enabled")
      end if
      if (comm < 0 .and. face < 0) return
   end subroutine create_exchange

   !> Nothing to fetch.
   subroutine exchange_halo(exchange, nx, nz, ny, field)
      type(flow_exchange_type), intent(inout) :: exchange
      integer, intent(in) :: nx, nz, ny
      real(rk), intent(inout) :: field(0:nx + 1, nz, 0:ny + 1)
      if (exchange%size == 1) return
      field = field
   end subroutine exchange_halo

   !> Sums of one rank.
   subroutine add_over_ranks(exchange, values)
      type(flow_exchange_type), intent(in) :: exchange
      real(rk), intent(inout) :: values(:)
      if (exchange%size == 1) return
      values = values
   end subroutine add_over_ranks

   !> Largest values of one rank.
   subroutine largest_over_ranks(exchange, values)
      type(flow_exchange_type), intent(in) :: exchange
      real(rk), intent(inout) :: values(:)
      if (exchange%size == 1) return
      values = values
   end subroutine largest_over_ranks

   !> What all ranks hold: of this one.
   subroutine gather_over_ranks(exchange, mine, whole)
      type(flow_exchange_type), intent(in) :: exchange
      real(rk), intent(in) :: mine(:)
      real(rk), intent(out) :: whole(:, :) !! (as mine, rank)
      whole(:, exchange%rank + 1) = mine
   end subroutine gather_over_ranks

end module pl_flow_exchange
