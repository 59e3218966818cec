!> One step of all rivers: an upstream-first sweep over the cells, members side by side.
!>
!> Arrays are (nmember, ncell): the members of a cell are contiguous. Blocks of members are independent of each other;
!> OpenMP runs over them. What a member does depends on its own water only (the lakes, which need powers, are computed
!> in full chunks), so that results do not depend on the number of threads or members.
module pl_river_step
   use pl_chunk, only: chunk_count, chunk_width, first_column, last_column
   use pl_constants, only: density_water
   use pl_error, only: error_convergence, error_type, raise_error
   use pl_kinds, only: rk
   use pl_river_flood, only: stays_in_sink
   use pl_river_kinematic, only: route_kinematic
   use pl_river_lake, only: lake_type, route_lake
   use pl_river_linear, only: linear_coefficients, route_linear
   implicit none (type, external)
   private
   public :: lake_evaporation, lake_rain, lake_withheld, nlake_flux, nreach, reach_area, reach_conveyance, reach_length
   public :: reach_velocity, reach_width, river_network_type, river_step, scheme_kinematic, scheme_linear

   integer, parameter :: scheme_linear = 1    !! linear reservoirs
   integer, parameter :: scheme_kinematic = 2 !! kinematic wave

   integer, parameter :: nreach = 5           !! properties of a reach, second index of `reach`:
   integer, parameter :: reach_area = 1       !! area of the cell [m2]
   integer, parameter :: reach_length = 2     !! length of the river to the next cell [m]
   integer, parameter :: reach_velocity = 3   !! of linear reservoirs [m s-1]
   integer, parameter :: reach_width = 4      !! of channels [m]
   integer, parameter :: reach_conveyance = 5 !! sqrt(slope)/n of channels [m1/3 s-1]

   integer, parameter :: nlake_flux = 3       !! fluxes of lakes, third index of `lake_flux` [m3 s-1]:
   integer, parameter :: lake_evaporation = 1 !! evaporation of the lake
   integer, parameter :: lake_rain = 2        !! rain on the lake
   integer, parameter :: lake_withheld = 3    !! runoff of land that the lake covers

   !> The network and its reaches.
   type :: river_network_type
      integer :: scheme = scheme_linear      !! how a reach passes its water
      integer, allocatable :: order(:)       !! (ncell) cells, upstream first
      integer, allocatable :: downstream(:)  !! (ncell) receiving cell, 0 leaves the domain, -1 a lake
      integer, allocatable :: spill(:)       !! (ncell) cell that a full lake spills to, 0 out of the domain
      integer, allocatable :: lake_of(:)     !! (ncell) number of the lake of a sink, 0 elsewhere
      real(rk), allocatable :: reach(:, :)   !! (ncell, nreach) properties, see above
      type(lake_type), allocatable :: lake(:) !! (nlake) lakes, in the order of their cells
   end type river_network_type

contains

   !> Advance all rivers and lakes by `dt`, in `nsub` equal sub-steps.
   subroutine river_step(network, dt, nsub, runoff, rain, evaporation, storage, lake_volume, discharge, inflow, &
      deficit, lake_flux, error)
      type(river_network_type), intent(in) :: network   !! the network
      real(rk), intent(in) :: dt                        !! step [s]
      integer, intent(in) :: nsub                       !! sub-steps
      real(rk), intent(in) :: runoff(:, :)              !! (nmember, ncell) of the cells [kg m-2 s-1]
      real(rk), intent(in) :: rain(:, :)                !! (nmember, nlake) at the lakes [kg m-2 s-1]
      real(rk), intent(in) :: evaporation(:, :)         !! (nmember, nlake) of open water there [kg m-2 s-1]
      real(rk), intent(inout) :: storage(:, :)          !! (nmember, ncell) water in rivers [m3]
      real(rk), intent(inout) :: lake_volume(:, :)      !! (nmember, nlake) [m3]
      real(rk), intent(inout) :: discharge(:, :)        !! (nmember, ncell) out of cells, mean [m3 s-1]
      real(rk), intent(inout) :: inflow(:, :)           !! (nmember, ncell) from upstream, likewise [m3 s-1]
      real(rk), intent(inout) :: deficit(:, :)          !! (nmember, ncell) unmet negative runoff [m3 s-1]
      real(rk), intent(inout) :: lake_flux(:, :, :)     !! (nmember, nlake, nlake_flux) [m3 s-1]
      type(error_type), allocatable, intent(out) :: error
      real(rk), allocatable :: share(:, :)
      integer, allocatable :: failed(:)
      character(len=120) :: text
      integer :: block, nmember, ncell, from, to
      nmember = size(storage, 1)
      ncell = size(storage, 2)
      allocate (share(ncell, 2), failed(chunk_count(nmember)))
      call linear_coefficients(network%reach(:, reach_velocity), network%reach(:, reach_length), dt/nsub, share(:, 1), &
                               share(:, 2))
      failed = 0
      !$omp parallel do default(none) schedule(static) private(block, from, to) &
      !$omp& shared(network, dt, nsub, runoff, rain, evaporation, storage, lake_volume, discharge, inflow, deficit) &
      !$omp& shared(lake_flux, share, failed, nmember)
      do block = 1, chunk_count(nmember)
         from = first_column(block)
         to = last_column(block, nmember)
         call advance_block(network, dt, nsub, share, from, to, runoff, rain, evaporation, storage, lake_volume, &
                            discharge, inflow, deficit, lake_flux, failed(block))
      end do
      if (all(failed == 0)) return
      write (text, "(a, i0)") "rivers: Newton's method did not converge in cell ", &
         failed(findloc(failed > 0, .true., dim=1)) - 1
      call raise_error(error, error_convergence, trim(text))
   end subroutine river_step

   !> Advance the members `from` to `to`.
   subroutine advance_block(network, dt, nsub, share, from, to, runoff, rain, evaporation, storage, lake_volume, &
      discharge, inflow, deficit, lake_flux, failed)
      type(river_network_type), intent(in) :: network
      real(rk), intent(in) :: dt                     !! [s]
      integer, intent(in) :: nsub                    !! sub-steps
      real(rk), intent(in) :: share(:, :)            !! (ncell, 2) of linear reservoirs [1]
      integer, intent(in) :: from                    !! first member
      integer, intent(in) :: to                      !! last member
      real(rk), intent(in) :: runoff(:, :)           !! [kg m-2 s-1]
      real(rk), intent(in) :: rain(:, :)             !! [kg m-2 s-1]
      real(rk), intent(in) :: evaporation(:, :)      !! [kg m-2 s-1]
      real(rk), intent(inout) :: storage(:, :)       !! [m3]
      real(rk), intent(inout) :: lake_volume(:, :)   !! [m3]
      real(rk), intent(inout) :: discharge(:, :)     !! [m3 s-1]
      real(rk), intent(inout) :: inflow(:, :)        !! [m3 s-1]
      real(rk), intent(inout) :: deficit(:, :)       !! [m3 s-1]
      real(rk), intent(inout) :: lake_flux(:, :, :)  !! [m3 s-1]
      integer, intent(out) :: failed                 !! cell that did not converge, 0 if all did
      real(rk), allocatable :: arriving(:, :)
      real(rk) :: lateral(chunk_width), outflow(chunk_width), missing(chunk_width)
      real(rk) :: step, depth
      logical :: converged
      integer :: n, sub, place, cell, next, number
      n = to - from + 1
      allocate (arriving(n, size(network%order)))
      step = dt/nsub
      failed = 0
      arriving = 0.0_rk
      do cell = 1, size(discharge, 2)
         discharge(from:to, cell) = 0.0_rk
         inflow(from:to, cell) = 0.0_rk
         deficit(from:to, cell) = 0.0_rk
      end do
      lake_flux(from:to, :, :) = 0.0_rk
      do sub = 1, nsub
         do place = 1, size(network%order)
            cell = network%order(place)
            next = network%downstream(cell)
            depth = step*network%reach(cell, reach_area)/density_water
            lateral(:n) = depth*runoff(from:to, cell)
            if (next == stays_in_sink) then
               number = network%lake_of(cell)
               call pass_lake(network%lake(number), n, step, arriving(:, cell), lateral, rain(from:to, number), &
                              evaporation(from:to, number), lake_volume(from:to, number), outflow, &
                              lake_flux(from:to, number, :), missing, converged)
               next = network%spill(cell)
            else
               call pass_reach(network, cell, n, step, share(cell, :), arriving(:, cell), lateral, &
                               storage(from:to, cell), outflow, missing, converged)
            end if
            if (.not. converged .and. failed == 0) failed = cell
            discharge(from:to, cell) = discharge(from:to, cell) + outflow(:n)
            inflow(from:to, cell) = inflow(from:to, cell) + arriving(:, cell)
            deficit(from:to, cell) = deficit(from:to, cell) + missing(:n)
            arriving(:, cell) = 0.0_rk
            if (next > 0) arriving(:, next) = arriving(:, next) + outflow(:n)
         end do
      end do
      do cell = 1, size(discharge, 2) ! in loops, not as whole arrays, which would be copied on the stack
         discharge(from:to, cell) = discharge(from:to, cell)/dt
         inflow(from:to, cell) = inflow(from:to, cell)/dt
         deficit(from:to, cell) = deficit(from:to, cell)/dt
      end do
      do number = 1, size(lake_flux, 2)
         lake_flux(from:to, number, :) = lake_flux(from:to, number, :)/dt
      end do
   end subroutine advance_block

   !> Pass a sub-step's water through a reach. Negative runoff is taken from what is there.
   pure subroutine pass_reach(network, cell, n, step, share, arriving, lateral, storage, outflow, missing, converged)
      type(river_network_type), intent(in) :: network
      integer, intent(in) :: cell              !! the cell
      integer, intent(in) :: n                 !! members
      real(rk), intent(in) :: step             !! [s]
      real(rk), intent(in) :: share(2)         !! of a linear reservoir [1]
      real(rk), intent(in) :: arriving(n)      !! from upstream [m3]
      real(rk), intent(in) :: lateral(n)       !! runoff of the cell [m3]
      real(rk), intent(inout) :: storage(n)    !! [m3]
      real(rk), intent(out) :: outflow(n)      !! [m3]
      real(rk), intent(out) :: missing(n)      !! negative runoff for which there was no water [m3]
      logical, intent(out) :: converged        !! whether Newton's method ended
      real(rk) :: water(n)
      integer :: i
      do i = 1, n
         water(i) = arriving(i) + lateral(i)
         storage(i) = storage(i) + min(water(i), 0.0_rk)
         water(i) = max(water(i), 0.0_rk)
         missing(i) = max(-storage(i), 0.0_rk)
         storage(i) = max(storage(i), 0.0_rk)
      end do
      converged = .true.
      if (network%scheme == scheme_linear) then
         call route_linear(n, share(1), share(2), water, storage, outflow)
      else
         call route_kinematic(n, step, network%reach(cell, reach_length), network%reach(cell, reach_width), &
                              network%reach(cell, reach_conveyance), water, storage, outflow, converged)
      end if
   end subroutine pass_reach

   !> Pass a sub-step's water into a lake; lanes beyond the block repeat its last member.
   pure subroutine pass_lake(lake, n, step, arriving, lateral, rain, evaporation, volume, outflow, flux, missing, &
      converged)
      type(lake_type), intent(in) :: lake                !! the lake
      integer, intent(in) :: n                           !! members
      real(rk), intent(in) :: step                       !! [s]
      real(rk), intent(in) :: arriving(n)                !! from upstream [m3]
      real(rk), intent(in) :: lateral(n)                 !! runoff of the cell [m3]
      real(rk), intent(in) :: rain(n)                    !! [kg m-2 s-1]
      real(rk), intent(in) :: evaporation(n)             !! of open water [kg m-2 s-1]
      real(rk), intent(inout) :: volume(n)               !! [m3]
      real(rk), intent(out) :: outflow(n)                !! spilled [m3]
      real(rk), intent(inout) :: flux(n, nlake_flux)     !! volumes so far [m3]
      real(rk), intent(out) :: missing(n)                !! negative runoff for which there was no water [m3]
      logical, intent(out) :: converged                  !! whether Newton's method ended
      real(rk), dimension(chunk_width) :: upstream, runoff, rain_depth, loss_depth, water, spilled, fallen, &
                                          evaporated, withheld, unmet
      integer :: lane, source
      do lane = 1, chunk_width
         source = min(lane, n)
         upstream(lane) = arriving(source)
         runoff(lane) = lateral(source)
         rain_depth(lane) = rain(source)*(step/density_water)
         loss_depth(lane) = evaporation(source)*(step/density_water)
         water(lane) = volume(source)
      end do
      call route_lake(lake, upstream, runoff, rain_depth, loss_depth, water, spilled, fallen, evaporated, withheld, &
                      unmet, converged)
      volume = water(:n)
      outflow = spilled(:n)
      missing = unmet(:n)
      flux(:, lake_evaporation) = flux(:, lake_evaporation) + evaporated(:n)
      flux(:, lake_rain) = flux(:, lake_rain) + fallen(:n)
      flux(:, lake_withheld) = flux(:, lake_withheld) + withheld(:n)
   end subroutine pass_lake

end module pl_river_step
