!> Water between land columns and the distributed subsurface, whose layers may differ.
!>
!> Up come liquid water, pressure head and ponded water; down go water at the surface, root uptake and ice. A layer of
!> the land gets its share of every layer of the subsurface that it overlaps, and gives in the same shares: what one side
!> loses the other gains. Where part of the pores is ice, liquid is spread over the pores that are left: with f the share of
!> the pores of a land layer that is ice, and F that of a cell,
!>    liquid of the piece = (1 - f)/(1 - F) liquid of the cell,
!> so that the pieces of a cell add up to it, and none holds more than its pores.
module pl_coupled_water
   use pl_chunk, only: w => chunk_width
   use pl_column_model, only: column_model_type
   use pl_constants, only: density_water
   use pl_coupled_model, only: coupled_model_type
   use pl_error, only: error_type
   use pl_flow_model, only: flow_model_type
   use pl_flow_water, only: create_ice, follow_ice, liquid_water
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: send_ice, send_water, settle_demand, show_water

contains

   !> Let the columns of a member see its water; all ranks together.
   subroutine show_water(coupled, land, flow, member)
      type(coupled_model_type), intent(in) :: coupled
      type(column_model_type), intent(inout) :: land
      type(flow_model_type), intent(inout) :: flow
      integer, intent(in) :: member !! from 1 [1]
      real(rk), allocatable :: water(:, :, :), frozen(:, :)
      real(rk) :: share
      integer :: c, first, k, n, piece
      allocate (water(flow%nx, flow%nz, flow%ny), frozen(coupled%ncell, flow%nz))
      call liquid_water(flow, member, water)
      first = (member - 1)*coupled%ncell
      call frozen_share(coupled, land, flow, member, frozen)
      associate (seen => land%water%soil_water, heads => land%water%pressure_head, ice => land%land%soil_ice, &
                 porosity => land%water_parameters%porosity, overlap => coupled%overlap)
         seen(first + 1:first + coupled%ncell, :) = 0.0_rk
         heads(first + 1:first + coupled%ncell, :) = 0.0_rk
         do piece = 1, overlap%count
            c = overlap%ground(piece)
            k = overlap%land(piece)
            share = overlap%land_share(piece)
            do n = 1, coupled%ncell
               seen(first + n, k) = seen(first + n, k) &
                                    + share*water(coupled%x(n), c, coupled%y(n)) &
                                    *((1.0_rk - ice(first + n, k)/porosity(first + n, k))/(1.0_rk - frozen(n, c)))
               heads(first + n, k) = heads(first + n, k) + share*flow%heads(coupled%x(n), c, coupled%y(n), member)
            end do
         end do
         do n = 1, coupled%ncell
            land%water%surface_water(first + n, 1) = density_water*flow%pond(coupled%x(n), coupled%y(n)) &
                                                     *max(flow%heads(coupled%x(n), 1, coupled%y(n), member), 0.0_rk)
         end do
      end associate
   end subroutine show_water

   !> Share of the pores of each cell that is ice of the land.
   subroutine frozen_share(coupled, land, flow, member, frozen)
      type(coupled_model_type), intent(in) :: coupled
      type(column_model_type), intent(in) :: land
      type(flow_model_type), intent(in) :: flow
      integer, intent(in) :: member                              !! from 1 [1]
      real(rk), intent(out) :: frozen(coupled%ncell, flow%nz)    !! [1]
      integer :: c, first, k, n, piece
      first = (member - 1)*coupled%ncell
      frozen = 0.0_rk
      do piece = 1, coupled%overlap%count
         c = coupled%overlap%ground(piece)
         k = coupled%overlap%land(piece)
         do n = 1, coupled%ncell
            frozen(n, c) = frozen(n, c) + coupled%overlap%ground_share(piece) &
                           *land%land%soil_ice(first + n, k)/land%water_parameters%porosity(first + n, k)
         end do
      end do
   end subroutine frozen_share

   !> Hand the ice of the columns of a member down, its heads follow; all ranks together.
   subroutine send_ice(coupled, land, flow, member, error)
      type(coupled_model_type), intent(inout) :: coupled
      type(column_model_type), intent(in) :: land
      type(flow_model_type), intent(inout) :: flow
      integer, intent(in) :: member !! from 1 [1]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      real(rk), allocatable :: frozen(:, :), ice(:, :, :)
      integer :: c, class, n
      call create_ice(flow, error)
      if (allocated(error)) return
      allocate (frozen(coupled%ncell, flow%nz), ice(flow%nx, flow%nz, flow%ny))
      if (size(coupled%surplus) /= flow%nmember*size(ice)) then
         deallocate (coupled%surplus)
         allocate (coupled%surplus(flow%nx, flow%nz, flow%ny, flow%nmember), source=0.0_rk)
      end if
      call frozen_share(coupled, land, flow, member, frozen)
      ice = 0.0_rk
      do c = 1, flow%nz
         do n = 1, coupled%ncell
            class = flow%class(coupled%x(n), c, coupled%y(n)) - 1
            ice(coupled%x(n), c, coupled%y(n)) = frozen(n, c)*flow%soil%table%porosity(mod(class, w) + 1, class/w + 1)
         end do
      end do
      call follow_ice(flow, member, ice, coupled%surplus(:, :, :, member))
   end subroutine send_ice

   !> Hand down what the columns of a member ask for and bring.
   subroutine send_water(coupled, land, flow, member, dt)
      type(coupled_model_type), intent(inout) :: coupled
      type(column_model_type), intent(in) :: land
      type(flow_model_type), intent(inout) :: flow
      integer, intent(in) :: member !! from 1 [1]
      real(rk), intent(in) :: dt    !! [s]
      integer :: c, first, k, n, piece
      first = (member - 1)*coupled%ncell
      flow%rain = 0.0_rk
      flow%source = 0.0_rk
      if (size(coupled%surplus) >= size(flow%source)) flow%source = coupled%surplus(:, :, :, member)/dt
      do piece = 1, coupled%overlap%count
         c = coupled%overlap%ground(piece)
         k = coupled%overlap%land(piece)
         do n = 1, coupled%ncell
            flow%source(coupled%x(n), c, coupled%y(n)) = flow%source(coupled%x(n), c, coupled%y(n)) &
               - coupled%overlap%land_share(piece)*coupled%root_uptake(first + n, k)/density_water
         end do
      end do
      do n = 1, coupled%ncell
         flow%rain(coupled%x(n), coupled%y(n)) = flow%pond(coupled%x(n), coupled%y(n)) &
                                                 *coupled%surface_input(first + n)/density_water
      end do
      coupled%pond_before = land%water%surface_water(first + 1:first + coupled%ncell, 1)
   end subroutine send_water

   !> What the subsurface did not give in the step, and what passed the surface; after `show_water` of its end.
   subroutine settle_demand(coupled, land, flow, member, dt)
      type(coupled_model_type), intent(inout) :: coupled
      type(column_model_type), intent(in) :: land
      type(flow_model_type), intent(in) :: flow
      integer, intent(in) :: member !! from 1 [1]
      real(rk), intent(in) :: dt    !! [s]
      real(rk) :: met, to_flux
      integer :: column, n, x, y
      to_flux = density_water/dt
      do n = 1, coupled%ncell
         column = (member - 1)*coupled%ncell + n
         x = coupled%x(n)
         y = coupled%y(n)
         met = to_flux*flow%volume_rain(x, y)
         coupled%unmet_evaporation(column) = max(met - coupled%surface_input(column), 0.0_rk)
         coupled%unmet_transpiration(column) = &
            max(to_flux*sum(flow%volume_source(x, :, y) - dt*flow%source(x, :, y)), 0.0_rk)
         coupled%surface_runoff(column) = to_flux*flow%volume_runoff(x, y)
         coupled%infiltration(column) = met - coupled%surface_runoff(column) - to_flux*flow%volume_spread(x, y) &
                                        - (land%water%surface_water(column, 1) - coupled%pond_before(n))/dt
      end do
   end subroutine settle_demand

end module pl_coupled_water
